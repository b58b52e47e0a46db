#include "lib/render/renderer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/resource_limits.h"
#include "lib/core/bundle/record_check.h"
#include "lib/core/model/tiled_decode.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/tensor/picture.h"
#include "lib/sampling/trajectory.h"
#include "lib/stream/keys.h"

namespace lcm {

struct Renderer::State {
    std::unique_ptr<VAE> vae;
    RecordCheck check;
    Tiling tiling;

    at::Tensor decode(const at::Tensor& latent) const;

    at::Tensor scaled_latent(const Record& record) const;
    void check_picture_size(const at::Tensor& latent, const std::string& what) const;
};

namespace {

[[noreturn]] void refuse(const Record& record, std::string fault, std::string fix) {
    throw Error(ExitCode::data, record.place, std::move(fault), std::move(fix));
}

/// The tensor that holds the picture: an unfinished record shows what its last step made of it.
std::string_view picture_tensor(const Record& record) {
    if (record.find(key::step) == nullptr) return tensor::latent;
    const auto [done, steps] = progress_of(record);
    if (done == steps) return tensor::latent;
    if (!record.tensors.contains(tensor::latent_denoised))
        refuse(record, fmt::format("is unfinished (step {} of {}) and has no {}", done, steps, tensor::latent_denoised),
               "finish it with lcm-denoise");
    return tensor::latent_denoised;
}

at::Tensor stored_latent(const Record& record, std::string_view name, const std::string& what) {
    if (!record.tensors.contains(name)) refuse(record, "has no latent", "pipe it through lcm-denoise first");
    const auto& stored = record.tensor(name);
    if (stored.dtype != Dtype::F32 && stored.dtype != Dtype::F16 && stored.dtype != Dtype::BF16)
        throw Error(ExitCode::data, what, fmt::format("is {}, expected F32, F16 or BF16", lcm::name(stored.dtype)));
    const auto latent = to_torch(stored);
    expect_finite(latent, what);
    return latent.to(at::kFloat);
}

}  // namespace

void Renderer::State::check_picture_size(const at::Tensor& latent, const std::string& what) const {
    const auto height = latent.size(1) * vae->factor(), width = latent.size(2) * vae->factor();
    expect_picture_size(width, height, what + ": its picture");
}

at::Tensor Renderer::State::scaled_latent(const Record& record) const {
    const auto name = picture_tensor(record);
    const auto what = record.place + ": " + std::string(name);
    const auto latent = stored_latent(record, name, what);
    expect_shape(latent, {vae->latent_channels(), -1, -1}, what);
    check_picture_size(latent, what);

    const auto* space = record.find(key::latent_space);
    if (space == nullptr || *space == "scaled") return latent.unsqueeze(0);
    if (*space != "vae") refuse(record, fmt::format("{} is {}", key::latent_space, *space), "expected \"scaled\" or \"vae\"");
    return vae->scale(latent.unsqueeze(0));
}

at::Tensor Renderer::State::decode(const at::Tensor& latent) const {
    const std::int64_t pixels = latent.size(2) * latent.size(3) * vae->factor() * vae->factor();
    // Tiles overlap by a quarter of whole latents, whatever factor the VAE has.
    const std::int64_t unit = 4 * vae->factor(), side = std::max(unit, tiling.side / unit * unit);
    return tiling.side > 0 && pixels > tiling.above ? decode_in_tiles(*vae, latent, side) : vae->decode(latent);
}

Renderer::Renderer(const Bundle& bundle, const Tiling& tiling)
    : state_(new State{bundle.vae(VAEUse::decode), RecordCheck(bundle), tiling}) {}

Renderer::~Renderer() = default;

Image Renderer::render(const Record& record) const {
    const c10::InferenceMode no_gradients;
    state_->check.expect_same_model(record, Part::vae);
    state_->check.expect_latent(record);
    const auto pixels = state_->decode(state_->scaled_latent(record)).squeeze(0);
    expect_finite(pixels, record.place + ": decoded picture");
    return to_image(pixels);
}

}  // namespace lcm
