#pragma once

#include "lib/image/image.h"

namespace lcm {

/// What is darker than its surroundings (a blur of 6 pixels), as bright lines on black, one channel; half of white is the median darkness
/// of the lines. What `lineart_standard` of stable-diffusion-webui-controlnet draws.
Image line_art(const Image& image);

/// Broad white strokes on black, one channel, where two blurs (0.5 and 5 pixels) differ by more than 16 of 255: the `scribble_xdog` of
/// stable-diffusion-webui-controlnet.
Image scribble(const Image& image);

}  // namespace lcm
