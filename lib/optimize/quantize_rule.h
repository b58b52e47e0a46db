#pragma once

#include <cstdint>
#include <string>

#include "lib/core/nn/weight_source.h"

namespace lcm {

/// Why a layer that multiplies so many rows (tokens or pixels) is not quantized, before its error is known; empty: nothing is against it.
/// @param every_layer  also those that win no time in int8
std::string reason_to_stay(const nn::ProductShape& shape, std::int64_t rows, bool every_layer);

}  // namespace lcm
