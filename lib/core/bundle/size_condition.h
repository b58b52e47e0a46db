#pragma once

#include <cstdint>

#include "lib/stream/record.h"

namespace lcm {

/// Sets SDXL's size conditions `text.time_ids` and `text.negative.time_ids` [6] F32 of a picture: original height and width, crop from
/// the top and the left, target height and width. A picture made from text is its own original and not cropped. A record that holds
/// them already keeps its own.
/// @param width,height  in pixels
void set_size_condition(Record& record, std::int64_t width, std::int64_t height);

}  // namespace lcm
