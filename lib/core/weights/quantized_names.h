#pragma once

#include <string>
#include <string_view>

/// How a quantized product lies in a safetensors file: beside `MODULE.weight` (I8) stand the scale of each of its rows, and the scale and
/// zero point of its inputs. A value is step * scale, an input (step - zero point) * scale.
namespace lcm {

inline constexpr std::string_view weight_name = ".weight";                      ///< I8 [out,in] or [out,in,k,k]
inline constexpr std::string_view weight_scale_name = ".weight_scale";          ///< F32 [out]
inline constexpr std::string_view input_scale_name = ".input_scale";            ///< F32 [1]
inline constexpr std::string_view input_zero_point_name = ".input_zero_point";  ///< U8 [1]

/// The module of a parameter whose name ends in ".weight"; else empty.
inline std::string module_of_weight(const std::string& name) {
    return name.ends_with(weight_name) ? name.substr(0, name.size() - weight_name.size()) : std::string();
}

}  // namespace lcm
