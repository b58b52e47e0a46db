#pragma once

#include <string_view>

/// What a UNet's configuration says when its weights are bytes with scales (`core/weights/quantized_names.h`).
namespace lcm {

inline constexpr std::string_view quantization_key = "quantization_config";
inline constexpr std::string_view quantization_value = R"({"quant_method":"lcm-int8"})";

}  // namespace lcm
