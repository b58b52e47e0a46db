#include "lib/sampling/start_image.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/core/tensor/convert.h"
#include "lib/stream/keys.h"

namespace lcm {

at::Tensor record_tensor(const Record& record, std::string_view name, const std::vector<std::int64_t>& shape) {
    const at::Tensor stored = to_torch(record.tensor(name, "start the picture again from its conditioning"));
    const std::string what = fmt::format("{}: {}", record.place, name);
    expect_shape(stored, shape, what);
    expect_finite(stored, what);
    return stored.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true).unsqueeze(0);
}

at::Tensor mask_tensor(const Record& record, const std::vector<std::int64_t>& shape) {
    at::Tensor mask = record_tensor(record, tensor::latent_mask, {1, shape[1], shape[2]});
    if (mask.lt(0).any().item<bool>() || mask.gt(1).any().item<bool>())
        throw Error(ExitCode::data, record.place, fmt::format("{} leaves 0..1", tensor::latent_mask), "1 means to draw anew, 0 to keep");
    return mask;
}

std::optional<StartImage> StartImage::read(const Record& record, const std::vector<std::int64_t>& shape) {
    const bool masked = record.tensors.contains(tensor::latent_mask);
    if (!record.tensors.contains(tensor::latent_init)) {
        if (!masked) return std::nullopt;
        throw Error(ExitCode::data, record.place, fmt::format("has {} without {}", tensor::latent_mask, tensor::latent_init),
                    "encode the picture with its mask");
    }
    StartImage image;
    image.clean_ = record_tensor(record, tensor::latent_init, shape);
    if (masked) image.mask_ = mask_tensor(record, shape);
    return image;
}

at::Tensor StartImage::begin(const Sampler& sampler, double strength, const at::Tensor& noise) const {
    if (masked() && strength == 1) return noise * sampler.start_scale();
    return add_noise(clean_, noise, sampler.level(0));
}

void StartImage::keep_unmasked(SamplerState& state, const Sampler& sampler, const at::Tensor& noise) const {
    const bool done = state.step == std::ssize(sampler.timesteps());
    const at::Tensor kept = done ? clean_ : add_noise(clean_, noise, sampler.level(state.step));
    state.sample = kept * (1 - mask_) + state.sample * mask_;
}

}  // namespace lcm
