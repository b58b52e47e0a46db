#include "lib/core/model/latent_format.h"

#include <fmt/format.h>

#include "lib/core/model/config_reader.h"

namespace lcm {

LatentFormat LatentFormat::from_json(const Json& vae) {
    ConfigReader reader(vae);
    return read(reader);
}

LatentFormat LatentFormat::read(ConfigReader& vae) {
    constexpr std::size_t most_levels = 8;
    const Json* kind = vae.find("_class_name");
    const bool tiny = kind && kind->as_string() == "AutoencoderTiny";
    const char* widths = tiny ? "encoder_block_out_channels" : "block_out_channels";
    const std::size_t levels = vae.positive_list(widths).size();
    if (levels > most_levels) vae.refuse(widths, fmt::format("{} levels, expected 1 to {}", levels, most_levels));
    LatentFormat format;
    format.channels = vae.positive("latent_channels", format.channels);
    format.factor = std::int64_t{1} << (levels - 1);  // every level of the encoder but one halves the picture
    format.scaling_factor = vae.number("scaling_factor", tiny ? 1.0 : format.scaling_factor);
    if (!(format.scaling_factor > 0)) vae.refuse("scaling_factor", fmt::format("{} is not a positive number", format.scaling_factor));
    return format;
}

}  // namespace lcm
