#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/core/model/latent_format.h"
#include "lib/core/nn/weight_source.h"

namespace lcm {

/// What an encoder says of a picture: a diagonal Gaussian over unscaled latents. A deterministic encoder has logvar undefined.
struct Posterior {
    at::Tensor mean;    ///< [B,C,h,w]
    at::Tensor logvar;  ///< [B,C,h,w], clamped to [-30,20]
};

constexpr std::int64_t pixel_channels = 3;

/// Which halves of a VAE there are weights for: files of one half alone exist.
struct VAEHalves {
    bool encoder = true, decoder = true;
};

/// Between pictures [B,3,H,W] in [-1,1] and latents [B,C,H/factor,W/factor].
class VAE {
public:
    virtual ~VAE() = default;

    /// The unscaled posterior of pixels whose sides are multiples of `factor()`. @throws Error(data)
    virtual Posterior encode(const at::Tensor& pixels) const = 0;
    /// Pixels, not clamped, of latents as the UNet sees them (scaled: the scaling factor, mean and standard deviation are undone here).
    /// @throws Error(data)
    virtual at::Tensor decode(const at::Tensor& latents) const = 0;
    /// Scaled latents of unscaled ones.
    virtual at::Tensor scale(const at::Tensor& unscaled) const = 0;

    const VAEHalves& halves() const { return halves_; }
    double scaling_factor() const { return format_.scaling_factor; }
    std::int64_t latent_channels() const { return format_.channels; }
    /// Pixels a side of one latent, 8 in the published models.
    std::int64_t factor() const { return format_.factor; }

protected:
    VAE(const LatentFormat& format, const VAEHalves& halves) : format_(format), halves_(halves) {}

    /// Refuses pixels other than [B,3,H,W] with sides that `factor()` divides, and any without an encoder.
    void check_pixels(const at::Tensor& pixels) const;
    /// Refuses latents other than [B,C,h,w], and any without a decoder.
    void check_latents(const at::Tensor& latents) const;

private:
    LatentFormat format_;
    VAEHalves halves_;
};

/// The halves that `weights` hold, where any of these parameters of a half tells that it is there; both where none is, so that building
/// them names what is missing.
VAEHalves find_halves(const nn::WeightSource& weights, const std::vector<std::string>& encoder, const std::vector<std::string>& decoder);

/// AutoencoderKL or AutoencoderTiny, by `_class_name` of the configuration. Of a source that has the weights of one half alone, that half.
/// @throws Error(data)
std::unique_ptr<VAE> make_vae(const Json& config, nn::WeightSource& weights);

/// The same VAE for inputs and results of another type, or in another place, than those of its weights.
std::unique_ptr<VAE> with_weights_of(at::ScalarType type, at::Device device, std::unique_ptr<VAE> vae);

}  // namespace lcm
