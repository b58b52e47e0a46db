#include <ATen/TensorOperators.h>
#include <doctest/doctest.h>

#include "lib/core/model/clip_vision.h"
#include "lib/core/model/clip_vision_processor.h"
#include "lib/core/model/ip_adapter.h"
#include "lib/core/tensor/picture.h"
#include "tests/golden/golden_picture.h"
#include "tests/golden/golden_unet.h"

using namespace lcm;

TEST_CASE("an IP-Adapter's way from a picture to tokens") {
    golden::check_group("ipadapter", [](const golden::Case& one) -> golden::Results {
        const std::string folder = golden::folder() + "/" + one.args().at("model").as_string() + "/models/";
        const CLIPImageProcessor processor =
            CLIPImageProcessor::from_json(read_json_file(folder + "image_encoder/preprocessor_config.json"));
        WeightSet encoder_weights({WeightFile(folder + "image_encoder/model.safetensors")}, at::kFloat, clip_vision_key);
        const CLIPVisionModel encoder(CLIPVisionConfig::from_json(read_json_file(folder + "image_encoder/config.json")), encoder_weights);
        encoder_weights.expect_all_used();

        const WeightFile file(folder + "ip-adapter_tiny.safetensors");
        WeightSet weights({file}, at::kFloat);
        const UNetConfig unet = UNetConfig::from_json(read_json_file(golden::folder() + "/models/sd15/unet/config.json"));
        const IPAdapter adapter(unet, IPAdapterShape::of(file), weights);
        weights.expect_all_used();

        const at::Tensor pixels = to_torch(processor(golden::picture_of(one))), embeds = encoder.forward(pixels);
        return {{"pixels", pixels}, {"embeds", embeds}, {"tokens", adapter.tokens(embeds)}, {"tokens_zero", adapter.tokens(embeds * 0)}};
    });
}
