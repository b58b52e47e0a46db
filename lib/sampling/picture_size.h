#pragma once

#include <cstdint>

#include "lib/core/model/latent_format.h"
#include "lib/sampling/request.h"
#include "lib/sampling/run_settings.h"
#include "lib/stream/record.h"

namespace lcm {

/// Width and height of a picture in pixels.
struct PictureSize {
    std::int64_t width = 0, height = 0;
};

/// "512x768".
std::string format_size(const PictureSize& size);

/// `lcm.size` of the record, checked against the model. @throws Error(data), Error(refused)
PictureSize recorded_size(const Record& record, const LatentFormat& latent);

/// The size of a new picture: the record's (`lcm.size`, else that of `noise` or `latent.init`), which the request may only repeat, else the
/// request's, else the model's. @throws as RunSettings::start
PictureSize starting_size(const Record& record, const DenoiseRequest& request, const ModelSettings& model);

}  // namespace lcm
