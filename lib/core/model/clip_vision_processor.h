#pragma once

#include "lib/base/json.h"
#include "lib/image/fit.h"
#include "lib/image/float_image.h"

namespace lcm {

/// CLIPImageProcessor of transformers: what makes pixels out of a picture for a CLIP vision model.
struct CLIPImageProcessor {
    int shortest_edge = 224, crop_width = 224, crop_height = 224;
    Filter filter = Filter::bicubic;
    PixelStatistics statistics = clip_statistics;

    /// `preprocessor_config.json`; the defaults are those of transformers for a key that is absent.
    /// @throws Error(data) naming the key; steps that are switched off are refused
    static CLIPImageProcessor from_json(const Json& json);

    /// Resize, crop, /255, normalize. @param image  of three channels
    FloatImage operator()(const Image& image) const;
};

}  // namespace lcm
