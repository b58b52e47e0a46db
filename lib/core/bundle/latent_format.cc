#include "lib/core/bundle/latent_format.h"

#include <fmt/format.h>

#include "lib/base/error.h"

namespace lcm {

LatentFormat LatentFormat::from_json(const Json& vae) {
    LatentFormat format;
    const bool tiny = vae.get("_class_name", "") == "AutoencoderTiny";
    const Json& channels = vae.at(tiny ? "encoder_block_out_channels" : "block_out_channels");
    const std::size_t stages = channels.as_array().size();
    if (stages < 1 || stages > 8) throw Error(ExitCode::data, channels.place(), fmt::format("{} stages, expected 1 to 8", stages));
    format.channels = vae.get("latent_channels", format.channels);
    format.factor = std::int64_t{1} << (stages - 1);  // every stage of the encoder but one halves the picture
    format.scaling_factor = vae.get("scaling_factor", tiny ? 1.0 : format.scaling_factor);
    return format;
}

}  // namespace lcm
