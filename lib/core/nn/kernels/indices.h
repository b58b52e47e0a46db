#pragma once

#include <cstdint>

/// Numbers that a compiler knows: which registers a step uses must not be left to a loop. As in `vector.h`, every compilation has its own
/// copy.
namespace {

/// A number as a type.
template <std::int64_t number>
struct Index {
    static constexpr std::int64_t value = number;
};

/// Calls `use` with `Index<0>` to `Index<count - 1>`. Unlike those of a loop, the compiler knows the numbers before it decides what stays
/// in registers.
template <std::int64_t count, std::int64_t number = 0, typename Use>
inline __attribute__((always_inline)) void for_each_index(const Use& use) {
    if constexpr (number < count) {
        use(Index<number>{});
        for_each_index<count, number + 1>(use);
    }
}

}  // namespace
