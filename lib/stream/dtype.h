#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace lcm {

/// Element types of safetensors, by their names in a header (stream-format, section 2).
enum class Dtype {
    BOOL,
    U8,
    I8,
    F8_E5M2,
    F8_E4M3,
    F8_E8M0,
    F8_E4M3FNUZ,
    F8_E5M2FNUZ,
    I16,
    U16,
    F16,
    BF16,
    I32,
    U32,
    F32,
    I64,
    U64,
    F64,
    C64,
    F4,
    F6_E2M3,
    F6_E3M2,
};

/// The name that stands in a header: "F32".
std::string_view name(Dtype dtype);
/// Bits of one element: 4, 6, 8, 16, 32 or 64.
unsigned bits(Dtype dtype);
/// The type of that name, or nothing.
std::optional<Dtype> parse_dtype(std::string_view name);

/// Bytes of a tensor: product of the dimensions times bits / 8; nothing on overflow or when it is not a whole number of bytes.
/// The product is checked before a zero dimension can hide an overflow.
std::optional<std::uint64_t> byte_size(Dtype dtype, std::span<const std::int64_t> shape);

}  // namespace lcm
