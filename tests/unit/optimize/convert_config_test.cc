#include "lib/optimize/convert_config.h"

#include <doctest/doctest.h>

using namespace lcm;

TEST_CASE("only the recorded type changes, under both its names") {
    const char* config = R"({ "factor": 1.0, "torch_dtype" : "float32", "inner": {"dtype":"bfloat16"}, "dtype":
        "float16" })";
    CHECK(with_dtype(config, Dtype::F16) == R"({ "factor": 1.0, "torch_dtype" : "float16", "inner": {"dtype":"float16"}, "dtype":
        "float16" })");
    CHECK(with_dtype(R"({"dtype":"float16"})", Dtype::F32) == R"({"dtype":"float32"})");
    CHECK(with_dtype(R"({"dtype":"float16"})", Dtype::BF16) == R"({"dtype":"bfloat16"})");
}

TEST_CASE("what only looks like a recorded type stays") {
    for (const char* same :
         {R"({"dtype": null})", R"({"dtype": "auto"})", R"({"my_dtype": "float16"})", R"({"note": "\"dtype\": \"float16\""})",
          R"(["dtype", "float16"])", R"({"dtype")", R"({"dtype":)", R"({"dtype":  )", ""}) {
        CHECK(with_dtype(same, Dtype::F32) == same);
    }
}

TEST_CASE("the total of an index is set") {
    CHECK(with_total_size(R"({"metadata": {"total_parameters": 3, "total_size": 12}, "weight_map": {}})", 6) ==
          R"({"metadata": {"total_parameters": 3, "total_size": 6}, "weight_map": {}})");
    CHECK(with_total_size(R"({"weight_map": {"a": "total_size"}})", 6) == R"({"weight_map": {"a": "total_size"}})");
}
