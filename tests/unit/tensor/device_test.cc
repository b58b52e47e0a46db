#include "lib/core/tensor/device.h"

#include <ATen/Context.h>
#include <doctest/doctest.h>

#include "lib/core/tensor/graph.h"
#include "lib/core/tensor/precision.h"
#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

TEST_CASE("the names of devices") {
    for (const char* name : {"auto", "cpu", "cuda", "cuda:0", "cuda:7", "cuda:127"}) CHECK_MESSAGE(is_device_name(name), name);
    for (const char* name : {"", "CPU", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:128", "cuda:0 ", "mps", "cpu:0"})
        CHECK_MESSAGE(!is_device_name(name), name);
}

TEST_CASE("the CPU is always there, and a GPU that is not is told of") {
    CHECK(device_named("cpu") == at::Device(at::kCPU));
    CHECK(model_name(at::kCPU) == "cpu");
    CHECK(device_named("auto").is_cpu() != at::hasCUDA());
    check_error(ExitCode::unavailable, {"cuda:99"}, [] { device_named("cuda:99"); });
    if (!at::hasCUDA()) check_error(ExitCode::unavailable, {"cuda", "libtorch"}, [] { device_named("cuda"); });
}

TEST_CASE("records name a GPU, and nothing of the CPU") {
    Record record;
    sign_device(record, at::kCPU);
    CHECK(record.find(key::device) == nullptr);
    sign_device(record, at::Device(at::kCUDA, 1));
    CHECK(record.at(key::device) == "cuda");
}

TEST_CASE("a GPU computes fastest in bf16") { CHECK((fastest_precision(at::kCUDA) == Precision::bf16)); }

TEST_CASE("a build without graphs says so") {
    if (!has_graphs()) check_error(ExitCode::software, {"graphs"}, [] { record_graph(at::kCUDA, [] {}); });
}
