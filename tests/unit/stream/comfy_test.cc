#include "lib/stream/comfy.h"

#include <doctest/doctest.h>

#include <cstring>

#include "lib/stream/reader.h"
#include "tests/unit/base/support.h"
#include "tests/unit/stream/builder.h"

using namespace lcm;
using namespace lcm::test;

namespace {

std::string bytes_of(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::vector<float> values_of(const TensorBytes& tensor) {
    std::vector<float> values(tensor.data.size() / sizeof(float));
    std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
    return values;
}

// A file of two latents [1,1,2].
std::string two_latents(bool marker) {
    std::string header = R"({"latent_tensor":{"dtype":"F32","shape":[2,1,1,2],"data_offsets":[0,16]})";
    if (marker) header += R"(,"latent_format_version_0":{"dtype":"F32","shape":[0],"data_offsets":[16,16]})";
    return raw_record(header + "}", bytes_of({1, -2, 0.5, 4}));
}

std::vector<Record> read_comfy(const std::string& file) {
    RecordReader reader(source_from_memory(as_bytes(file), "a.latent"), {.from_comfy = true});
    std::vector<Record> records;
    while (auto record = reader.next()) records.push_back(std::move(*record));
    return records;
}

std::string comfy_file(const std::vector<Record>& records) {
    Bytes out;
    const auto sink = sink_to_memory(out, "memory");
    write_comfy(*sink, records);
    sink->finish();
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

Record finished(float first, const char* space) {
    auto record = example_record();
    record.set("lcm.latent_space", space);
    record.tensors.insert_or_assign("latent", floats({1, 1, 2}, {first, 1}));
    record.place = "record 0";
    return record;
}

}  // namespace

TEST_CASE("a batch becomes records in unscaled VAE space") {
    const auto records = read_comfy(two_latents(true));
    REQUIRE(records.size() == 2);
    CHECK(values_of(records[0].tensor("latent")) == std::vector<float>{1, -2});
    CHECK(values_of(records[1].tensor("latent")) == std::vector<float>{0.5, 4});
    CHECK(records[1].tensor("latent").shape == std::vector<std::int64_t>{1, 1, 2});
    CHECK(records[0].at("lcm.latent_space") == "vae");
    CHECK(records[0].at("lcm.kind") == "latent");
    CHECK_FALSE(records[0].final);
    CHECK(records[1].final);
}

TEST_CASE("without the marker values are divided by .18215") {
    const auto values = values_of(read_comfy(two_latents(false))[0].tensor("latent"));
    CHECK(values[0] == doctest::Approx(1 / 0.18215));
    CHECK(values[1] == doctest::Approx(-2 / 0.18215));
}

TEST_CASE("what is written can be read, over the scale where there is one") {
    const auto back = read_comfy(comfy_file({finished(3, "vae"), finished(0.18215F, "scaled")}));
    REQUIRE(back.size() == 2);
    CHECK(values_of(back[0].tensor("latent")) == std::vector<float>{3, 1});
    CHECK(values_of(back[1].tensor("latent"))[0] == doctest::Approx(1));
    CHECK(values_of(back[1].tensor("latent"))[1] == doctest::Approx(1 / 0.18215));
    CHECK(comfy_file({finished(3, "vae")}).find("latent_format_version_0") != std::string::npos);
}

TEST_CASE("what cannot be written is refused") {
    const auto refused = [](std::vector<Record> records) { return error_of([&] { comfy_file(records); }); };
    auto unfinished = finished(1, "vae");
    unfinished.tensors.emplace("latent.denoised", floats({1, 1, 2}, {0, 0}));
    CHECK(refused({unfinished}).find("is unfinished") != std::string::npos);
    auto scaleless = finished(1, "scaled");
    scaleless.set("lcm.vae_scale", "0");
    CHECK(refused({scaleless}).find("lcm.vae_scale") != std::string::npos);
    auto half = finished(1, "vae");
    half.tensors.insert_or_assign("latent", make_tensor(Dtype::F16, {1, 1, 2}, Bytes(4)));
    CHECK(refused({half}).find("F32") != std::string::npos);
    auto wide = finished(1, "vae");
    wide.tensors.insert_or_assign("latent", floats({1, 1, 1}, {0}));
    CHECK(refused({finished(1, "vae"), wide}).starts_with("65"));
}
