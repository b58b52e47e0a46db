#include "lib/sampling/latent_format.h"

#include <string>
#include <string_view>

#include "lib/base/error.h"

namespace lcm {
namespace {

constexpr std::size_t max_blocks = 8;

/// A VAE halves its picture between its blocks.
std::int64_t downsampling(const Json& vae, bool tiny) {
    const Json& blocks = vae.at(tiny ? "encoder_block_out_channels" : "block_out_channels");
    const std::size_t count = blocks.as_array().size();
    if (count < 1 || count > max_blocks) throw Error(ExitCode::data, blocks.place(), "must list 1 to 8 blocks");
    return std::int64_t{1} << (count - 1);
}

}  // namespace

LatentFormat LatentFormat::of(const Bundle& bundle, const UNetConfig& unet) {
    LatentFormat format;
    format.channels = unet.in_channels;
    if (!bundle.has(Part::vae)) return format;
    const Json& vae = bundle.config(Part::vae);
    const bool tiny = vae.get("_class_name", "AutoencoderKL") == "AutoencoderTiny";
    const std::int64_t channels = vae.get("latent_channels", std::int64_t{4});
    if (channels != unet.in_channels) {
        throw Error(ExitCode::data, bundle.path(),
                    "the UNet takes " + std::to_string(unet.in_channels) + " latent channels, the VAE has " + std::to_string(channels),
                    "use a text-to-picture model");
    }
    format.factor = downsampling(vae, tiny);
    format.scaling_factor = vae.get("scaling_factor", tiny ? 1.0 : format.scaling_factor);
    return format;
}

}  // namespace lcm
