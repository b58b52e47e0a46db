#include "lib/stream/dtype.h"

#include <array>

#include "lib/base/number.h"

namespace lcm {

namespace {

struct Row {
    std::string_view name;
    unsigned bits;
};

// In the order of the enumeration.
constexpr std::array<Row, 22> table{{
    {"BOOL", 8}, {"U8", 8},   {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
    {"I16", 16}, {"U16", 16}, {"F16", 16}, {"BF16", 16},   {"I32", 32},    {"U32", 32},    {"F32", 32},        {"I64", 64},
    {"U64", 64}, {"F64", 64}, {"C64", 64}, {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},
}};
static_assert(static_cast<std::size_t>(Dtype::F6_E3M2) + 1 == table.size());

const Row& row(Dtype dtype) { return table[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::string_view name(Dtype dtype) { return row(dtype).name; }

unsigned bits(Dtype dtype) { return row(dtype).bits; }

std::optional<Dtype> parse_dtype(std::string_view name) {
    for (std::size_t i = 0; i < table.size(); ++i)
        if (table[i].name == name) return static_cast<Dtype>(i);
    return std::nullopt;
}

std::optional<std::uint64_t> byte_size(Dtype dtype, std::span<const std::int64_t> shape) {
    std::optional<std::uint64_t> product = bits(dtype);
    bool empty = false;
    for (const std::int64_t dimension : shape) {
        if (dimension < 0) return std::nullopt;
        empty = empty || dimension == 0;
        product = checked_mul(*product, dimension == 0 ? 1 : static_cast<std::uint64_t>(dimension));
        if (!product) return std::nullopt;
    }
    if (empty) return 0;
    return *product % 8 == 0 ? std::optional(*product / 8) : std::nullopt;
}

}  // namespace lcm
