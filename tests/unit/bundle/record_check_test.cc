#include "lib/core/bundle/record_check.h"

#include <doctest/doctest.h>

#include <functional>

#include "lib/core/bundle/size_condition.h"
#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"

using namespace lcm;

namespace {

TensorBytes zeros_of(const std::vector<std::int64_t>& shape) {
    std::size_t count = sizeof(float);
    for (const std::int64_t side : shape) count *= static_cast<std::size_t>(side);
    return make_tensor(Dtype::F32, shape, Bytes(count));
}

Record record(const std::map<std::string_view, std::vector<std::int64_t>>& tensors) {
    Record result;
    result.place = "record 7";
    for (const auto& [name, shape] : tensors) result.tensors.emplace(std::string(name), zeros_of(shape));
    return result;
}

void refused(std::initializer_list<std::string_view> says, const std::function<void()>& check) {
    check_error(ExitCode::data, {"record 7"}, check);
    check_error(ExitCode::data, says, check);
}

}  // namespace

TEST_CASE("a record that fits passes") {
    const RecordCheck sd15(Bundle::open(golden_model("sd15"))), sdxl(Bundle::open(golden_model("sdxl")));
    Record text = record({{tensor::text_embeds, {77, 32}}, {tensor::text_negative_embeds, {77, 32}}, {tensor::latent, {4, 8, 8}}});
    text.set(key::arch, "sd15");
    text.set(key::text_sha256, sd15.sha256(Part::text_encoder));
    text.set(key::vae_scale, "0.18215");
    sd15.expect_same_model(text, Part::text_encoder);
    sd15.expect_conditions(text, true);
    sd15.expect_latent(text);
    sdxl.expect_conditions(record({{tensor::text_embeds, {77, 80}}, {tensor::text_pooled, {48}}}), false);
}

TEST_CASE("wrong combinations say which side has what") {
    const RecordCheck sd15(Bundle::open(golden_model("sd15"))), sdxl(Bundle::open(golden_model("sdxl")));
    Record other = record({});
    other.set(key::arch, "sdxl");
    refused({"lcm.arch", "sdxl in the record", "sd15 in model"}, [&] { sd15.expect_same_model(other, Part::unet); });
    Record hashed = record({});
    hashed.set(key::unet_sha256, std::string(64, '0'));
    refused({"lcm.unet_sha256"}, [&] { sd15.expect_same_model(hashed, Part::unet); });

    refused({"text.embeds", "encode"}, [&] { sd15.expect_conditions(record({}), false); });
    refused({"width 80", "width 32"}, [&] { sd15.expect_conditions(record({{tensor::text_embeds, {77, 80}}}), false); });
    refused({"[tokens, width]"}, [&] { sd15.expect_conditions(record({{tensor::text_embeds, {1, 77, 32}}}), false); });
    refused({"text.negative.embeds"}, [&] { sd15.expect_conditions(record({{tensor::text_embeds, {77, 32}}}), true); });
    refused({"takes pooled text", "record has none"}, [&] { sdxl.expect_conditions(record({{tensor::text_embeds, {77, 80}}}), false); });
    refused({"takes none"}, [&] { sd15.expect_conditions(record({{tensor::text_embeds, {77, 32}}, {tensor::text_pooled, {48}}}), false); });
    refused({"text.pooled", "width 40", "width 48"},
            [&] { sdxl.expect_conditions(record({{tensor::text_embeds, {77, 80}}, {tensor::text_pooled, {40}}}), false); });
    refused({"text.negative.pooled"}, [&] {
        sdxl.expect_conditions(
            record({{tensor::text_embeds, {77, 80}}, {tensor::text_negative_embeds, {77, 80}}, {tensor::text_pooled, {48}}}), true);
    });

    Record latent = record({{tensor::latent, {4, 8, 8}}});
    latent.set(key::vae_scale, "0.13025");
    refused({"lcm.vae_scale", "0.13025", "0.18215"}, [&] { sd15.expect_latent(latent); });
    refused({"[16,8,8]", "[4,"}, [&] { sd15.expect_latent(record({{tensor::latent, {16, 8, 8}}})); });
    refused({"[8,8]"}, [&] { sd15.expect_latent(record({{tensor::latent, {8, 8}}})); });
    Record turned = record({});
    turned.set(key::layout, "HWC");
    refused({"lcm.layout", "HWC"}, [&] { sd15.expect_latent(turned); });
}

TEST_CASE("a tiny VAE reads latents of any scale") {
    ModelFiles files;
    files.path = golden_model("sd15");
    files.parts[Part::vae] = golden_model("taesd");
    Record latent = record({{tensor::latent, {4, 8, 8}}});
    latent.set(key::vae_scale, "0.18215");
    RecordCheck(Bundle::open(files)).expect_latent(latent);
}

TEST_CASE("size conditions are height, width, crop and target; a record keeps its own") {
    Record sized = record({});
    set_size_condition(sized, 64, 48);
    const auto& bytes = sized.tensor(tensor::text_time_ids);
    CHECK(bytes.shape == std::vector<std::int64_t>{6});
    const auto* numbers = reinterpret_cast<const float*>(bytes.data.data());
    CHECK(std::vector<float>(numbers, numbers + 6) == std::vector<float>{48, 64, 0, 0, 48, 64});
    set_size_condition(sized, 8, 8);
    CHECK(reinterpret_cast<const float*>(sized.tensor(tensor::text_negative_time_ids).data.data())[0] == 48);
}
