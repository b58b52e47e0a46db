// `network-bench PRECISION PATH [SIDE] [THREADS] [BATCH]`: seconds of one UNet step and one VAE decode in the shape of SD 1.5 with random
// weights. PRECISION is f32 or bf16, PATH plain, packed, int8 or cuda (plain on a GPU), SIDE the pictures' side in pixels (512), BATCH how
// many pass at once (1).

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <string_view>

#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/core/model/unet.h"
#include "lib/core/model/vae.h"
#include "lib/core/tensor/device.h"
#include "lib/core/tensor/threads.h"
#include "lib/core/weights/device_weights.h"
#include "tests/bench/measure.h"
#include "tests/bench/random_weights.h"

namespace {

using namespace lcm;

constexpr const char* unet_config = R"({"in_channels":4,"out_channels":4,"sample_size":64,"block_out_channels":[320,640,1280,1280],
"down_block_types":["CrossAttnDownBlock2D","CrossAttnDownBlock2D","CrossAttnDownBlock2D","DownBlock2D"],
"up_block_types":["UpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D"],"layers_per_block":2,"attention_head_dim":8,
"cross_attention_dim":768,"norm_num_groups":32,"time_cond_proj_dim":256})";
constexpr const char* vae_config = R"({"_class_name":"AutoencoderKL","in_channels":3,"out_channels":3,"latent_channels":4,
"block_out_channels":[128,256,512,512],"layers_per_block":2,"norm_num_groups":32,"scaling_factor":0.18215,
"down_block_types":["DownEncoderBlock2D","DownEncoderBlock2D","DownEncoderBlock2D","DownEncoderBlock2D"],
"up_block_types":["UpDecoderBlock2D","UpDecoderBlock2D","UpDecoderBlock2D","UpDecoderBlock2D"]})";

void measure(at::ScalarType type, std::string_view path, std::int64_t side, std::int64_t batch) {
    const c10::InferenceMode no_gradients;
    const at::Device device = device_named(path == "cuda" ? path : "cpu");
    bench::RandomWeights weights(type, path);
    UNetInputs inputs;
    inputs.sample = at::randn({batch, 4, side / 8, side / 8}, type);
    inputs.timestep = at::full({batch}, 999, at::kLong);
    inputs.context = at::randn({batch, 77, 768}, type);
    inputs.guidance = at::full({batch}, 7.5, at::kFloat);
    double step = 0, decode = 0;
    {
        const UNet unet = build_on(
            device, weights, [](nn::WeightSource& there) { return UNet(UNetConfig::from_json(parse_json(unet_config, "unet")), there); });
        step = bench::median_seconds([&] { unet.forward(inputs); });
    }
    {
        auto plain = build_on(device, weights, [](nn::WeightSource& there) { return make_vae(parse_json(vae_config, "vae"), there); });
        const auto vae = with_weights_of(type, device, std::move(plain));
        decode = bench::median_seconds([&] { vae->decode(inputs.sample); });
    }
    fmt::print(
        "{{\"benchmark\":\"network\",\"device\":\"{}\",\"precision\":\"{}\",\"path\":\"{}\",\"side\":{},\"batch\":{},\"threads\":{},"
        "\"unet_step_s\":{:.5f},\"vae_decode_s\":{:.5f}}}\n",
        model_name(device), at::toString(type), path, side, batch, at::get_num_threads(), step, decode);
}

}  // namespace

int main(int count, char** arguments) {
    const auto word = [&](int i, std::string_view usual) { return count > i ? std::string_view(arguments[i]) : usual; };
    const auto side = parse_u64(word(3, "512")), threads = parse_u64(word(4, "0")), batch = parse_u64(word(5, "1"));
    if (count < 3 || !side || !threads || !batch) {
        fmt::print(stderr, "usage: {} f32|bf16 plain|packed|int8|cuda [SIDE] [THREADS] [BATCH]\n", arguments[0]);
        return 64;
    }
    set_threads(static_cast<int>(*threads));
    measure(word(1, "") == "bf16" ? at::kBFloat16 : at::kFloat, word(2, "plain"), static_cast<std::int64_t>(*side),
            static_cast<std::int64_t>(*batch));
    return 0;
}
