// `step-bench MODEL [THREADS]`: milliseconds of the three networks of a model folder, one picture of its own size, warm.

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <cstdio>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/core/bundle/bundle.h"
#include "lib/core/tensor/noise.h"
#include "lib/core/tensor/threads.h"
#include "lib/input/text/tokenizer.h"
#include "tests/bench/measure.h"

namespace {

using namespace lcm;

constexpr std::int64_t timestep = 999;
constexpr double guidance_scale = 5;

at::Tensor token_ids(const Bundle& bundle) {
    const auto ids = Tokenizer::open(bundle.tokenizer_path()).encode_padded("a red apple");
    return at::tensor(std::vector<std::int64_t>(ids.begin(), ids.end())).unsqueeze(0);
}

UNetInputs unet_inputs(const UNet& network, const at::Tensor& latent, const at::Tensor& context) {
    UNetInputs inputs;
    inputs.sample = latent;
    inputs.timestep = at::full({1}, timestep, at::kLong);
    inputs.context = context;
    if (network.config().time_cond_proj_dim) inputs.guidance = at::full({1}, guidance_scale - 1, at::kFloat);
    return inputs;
}

void measure(const std::string& model) {
    const c10::InferenceMode no_gradients;
    const Bundle bundle = Bundle::open(model);
    const CLIPTextModel text = bundle.text_encoder();
    const UNet unet = bundle.unet();
    const auto vae = bundle.vae();

    const Defaults size = bundle.defaults();
    const at::Tensor ids = token_ids(bundle);
    const at::Tensor latent =
        NoiseGenerator(7).normal({1, vae->latent_channels(), size.height / vae->factor(), size.width / vae->factor()});
    const UNetInputs inputs = unet_inputs(unet, latent, text.forward(ids).last_hidden_state);

    const double encode = bench::median_seconds([&] { text.forward(ids); });
    const double step = bench::median_seconds([&] { unet.forward(inputs); });
    const double decode = bench::median_seconds([&] { vae->decode(latent); });
    fmt::print(R"({{"benchmark":"step","width":{},"height":{},"threads":{},)", size.width, size.height, at::get_num_threads());
    fmt::print(R"("text_encode_ms":{:.2f},"unet_step_ms":{:.2f},"vae_decode_ms":{:.2f}}})"
               "\n",
               encode * 1e3, step * 1e3, decode * 1e3);
}

}  // namespace

int main(int count, char** arguments) {
    const auto threads = count > 2 ? parse_u64(arguments[2]) : 0;  // 0: all cores
    if (count < 2 || !threads || *threads > 1024) {
        fmt::print(stderr, "usage: {} MODEL [THREADS]\n", arguments[0]);
        return 64;
    }
    try {
        set_threads(static_cast<int>(*threads));
        measure(arguments[1]);
    } catch (const Error& error) {
        fmt::print(stderr, "{}: {}\n", arguments[0], error.what());
        return static_cast<int>(error.code());
    }
    return 0;
}
