#include "lib/core/model/vae.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"
#include "lib/core/model/autoencoder_kl.h"
#include "lib/core/model/autoencoder_tiny.h"
#include "lib/core/tensor/convert.h"

namespace lcm {

void VAE::check_pixels(const at::Tensor& pixels) const {
    if (!halves_.encoder) throw Error(ExitCode::no_input, "", "this VAE has no encoder");
    expect_shape(pixels, {-1, pixel_channels, -1, -1}, "the VAE's pixels");
    if (pixels.size(2) % factor() == 0 && pixels.size(3) % factor() == 0) return;
    throw Error(ExitCode::data, "",
                fmt::format("a picture of {}x{} pixels has a side that is no multiple of {}", pixels.size(3), pixels.size(2), factor()),
                "crop or resize it");
}

void VAE::check_latents(const at::Tensor& latents) const {
    if (!halves_.decoder) throw Error(ExitCode::no_input, "", "this VAE has no decoder");
    expect_shape(latents, {-1, latent_channels(), -1, -1}, "the VAE's latents");
}

VAEHalves find_halves(const nn::WeightSource& weights, const std::vector<std::string>& encoder, const std::vector<std::string>& decoder) {
    const auto there = [&](const std::string& name) { return weights.has(name); };
    const VAEHalves halves{std::ranges::any_of(encoder, there), std::ranges::any_of(decoder, there)};
    return halves.encoder || halves.decoder ? halves : VAEHalves();
}

std::unique_ptr<VAE> make_vae(const Json& config, nn::WeightSource& weights) {
    const std::string kind = config.get("_class_name", "AutoencoderKL");
    if (kind == "AutoencoderKL") return make_autoencoder_kl(config, weights);
    if (kind == "AutoencoderTiny") return make_autoencoder_tiny(config, weights);
    throw Error(ExitCode::data, config.place(),
                fmt::format("a VAE of class {} is not implemented, only AutoencoderKL and AutoencoderTiny", kind));
}

namespace {

class ConvertingVAE : public VAE {
public:
    ConvertingVAE(at::ScalarType type, at::Device device, std::unique_ptr<VAE> inner)
        : VAE(*inner), type_(type), device_(device), inner_(std::move(inner)) {}

    Posterior encode(const at::Tensor& pixels) const override {
        const Posterior found = inner_->encode(pixels.to(device_, type_));
        const auto outer = [&](const at::Tensor& tensor) { return tensor.defined() ? like(pixels, tensor) : tensor; };
        return {.mean = outer(found.mean), .logvar = outer(found.logvar)};
    }
    at::Tensor decode(const at::Tensor& latents) const override { return like(latents, inner_->decode(latents.to(device_, type_))); }
    at::Tensor scale(const at::Tensor& unscaled) const override { return inner_->scale(unscaled); }

private:
    static at::Tensor like(const at::Tensor& input, const at::Tensor& result) { return result.to(input.device(), input.scalar_type()); }

    at::ScalarType type_;
    at::Device device_;
    std::unique_ptr<VAE> inner_;
};

}  // namespace

std::unique_ptr<VAE> with_weights_of(at::ScalarType type, at::Device device, std::unique_ptr<VAE> vae) {
    return std::make_unique<ConvertingVAE>(type, device, std::move(vae));
}

}  // namespace lcm
