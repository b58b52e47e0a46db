#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <optional>
#include <string_view>

namespace lcm {

/// The type that a network computes in (`lcm.precision`): it changes the picture.
enum class Precision {
    f32,
    bf16,
    int8,  ///< products of a quantized UNet in bytes, all else in the faster of the other two
};

/// "f32", "bf16", "int8".
std::string_view name(Precision precision);
/// The precision of that name; nothing for another.
std::optional<Precision> precision_named(std::string_view name);

/// The type of a network's weights and activations.
at::ScalarType type_of(Precision precision);

/// bf16 on a GPU, and where `instruction_set()` multiplies matrices of it (AMX or AVX512-BF16), else f32.
Precision fastest_precision(at::Device device = at::kCPU);

}  // namespace lcm
