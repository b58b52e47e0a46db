#include "lib/core/model/latent_scale.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

namespace lcm {
namespace {

/// One number a channel as [1,channels,1,1]; undefined when the key is absent.
at::Tensor per_channel(ConfigReader& reader, const char* key, std::int64_t channels) {
    const Json* list = reader.find(key);
    if (!list) return {};
    std::vector<double> numbers;
    for (const Json& value : list->as_array()) numbers.push_back(value.as_number());
    if (static_cast<std::int64_t>(numbers.size()) != channels)
        reader.refuse(key, fmt::format("{} numbers for {} latent channels", numbers.size(), channels));
    return at::tensor(numbers).to(at::kFloat).view({1, -1, 1, 1});
}

/// The numbers of channels in the type and place of latents `z`.
at::Tensor as(const at::Tensor& z, const at::Tensor& numbers) { return numbers.to(z.device(), z.scalar_type()); }

}  // namespace

LatentScale::LatentScale(ConfigReader& reader, const LatentFormat& format)
    : factor_(format.scaling_factor),
      mean_(per_channel(reader, "latents_mean", format.channels)),
      std_(per_channel(reader, "latents_std", format.channels)) {
    if (mean_.defined() != std_.defined()) reader.refuse(mean_.defined() ? "latents_std" : "latents_mean", "one of the pair is missing");
    const double shift = reader.number("shift_factor", 0);
    if (shift == 0) return;
    if (mean_.defined()) reader.refuse("shift_factor", "not implemented beside latents_mean");
    mean_ = at::full({1, format.channels, 1, 1}, shift, at::kFloat);
}

at::Tensor LatentScale::scale(const at::Tensor& z) const {
    const at::Tensor centred = mean_.defined() ? z - as(z, mean_) : z;
    return std_.defined() ? centred * factor_ / as(z, std_) : centred * factor_;
}

at::Tensor LatentScale::unscale(const at::Tensor& z) const {
    const at::Tensor spread = std_.defined() ? z * as(z, std_) / factor_ : z / factor_;
    return mean_.defined() ? spread + as(z, mean_) : spread;
}

}  // namespace lcm
