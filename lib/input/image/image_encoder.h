#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/bundle/bundle.h"
#include "lib/core/bundle/record_check.h"
#include "lib/image/fit.h"
#include "lib/input/encoder.h"
#include "lib/input/image/feature_network.h"
#include "lib/input/image/mask.h"

namespace lcm {

/// What is made of pictures.
struct ImageSettings {
    std::optional<ImageSize> size = {};        ///< absent: the record's, else the picture's own, rounded down to what the VAE takes
    std::optional<Fit> fit = {};               ///< absent: cropped to a size that was given, stretched to one that was rounded
    bool latent = true;                        ///< `latent.init`, and `latent.mask` of pictures with a mask
    bool sample = false;                       ///< draw from the VAE's distribution instead of taking its mode
    std::vector<std::string> drawn_maps = {};  ///< `control.NAME` each, drawn from the picture
    std::vector<std::string> given_maps = {};  ///< `control.NAME` each: the picture is the map
    std::shared_ptr<const FeatureNetwork> features = {};  ///< makes `image.features`; null: none
};

/// A picture, and what belongs to it.
struct Picture {
    Image image;        ///< three channels
    std::string place;  ///< its file, for messages
    std::optional<Image> mask;
    std::string mask_place;
    std::uint64_t seed = 0;  ///< of the draw
};

/// The size that a picture is encoded at for a record: that of the settings, else the record's own (`lcm.size`), else the picture's,
/// rounded down. @param factor  pixels a side of one latent
/// @throws Error(usage) for a size that no latent has; Error(data) for a picture that is too small, or a record of another size than the
///         settings'; Error(refused) above the limits
ImageSize encoded_size(const Picture& picture, const Record& record, const ImageSettings& settings, std::int64_t factor);

/// A picture to conditioning: `latent.init [C,h,w]`, `latent.mask [1,h,w]` (1: to repaint), for an inpainting UNet
/// `latent.masked [C,h,w]`, `control.NAME [1 or 3,H,W]` in bytes, `image.features [1,D]`.
///
/// A draw from the VAE's distribution is the first of the picture's generator (lcm-facts, section 3): the record then carries the seed and
/// the generator's state (`lcm.seed`, `lcm.rng`, `lcm.rng_draws`, `rng.state`), and denoising goes on from there.
class ImageEncoder : public Encoder {
public:
    /// Loads the VAE where latents are asked for. @throws Error(no_input) without one, Error(data)
    ImageEncoder(const Bundle& bundle, ImageSettings settings);

    /// The picture that `enrich` adds from here on. @throws Error(data) when its mask is of another size
    void set_picture(Picture picture);

    /// Sets kind `cond` (unless the record already has a kind), arch, model, source, and the size where a latent or a map has one; with a
    /// latent also vae_sha256, vae_scale, latent_space and layout. Refuses a record that was made with another model, and one whose picture
    /// is begun already.
    /// @throws Error(data)
    void enrich(Record& record) override;

private:
    void add_fitted(Record& record);
    void add_latent(Record& record, const Image& image);
    void add_mask(Record& record, const FloatImage& mask) const;
    void add_masked(Record& record, const Image& image, const FloatImage& mask) const;
    void add_maps(Record& record, const Image& image) const;

    std::string name_;
    at::Device device_;
    RecordCheck check_;
    ImageSettings settings_;
    std::unique_ptr<VAE> vae_;
    bool inpainting_ = false;  ///< the model's UNet sees more than the sample
    Picture picture_;
};

}  // namespace lcm
