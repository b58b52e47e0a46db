#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "lib/stream/dtype.h"

namespace lcm {

/// A tensor whose meaning the format fixes (stream-format, section 6).
struct KnownTensor {
    std::string_view name;                ///< or the beginning of the names of a family
    std::optional<std::size_t> rank;      ///< nothing: any
    std::initializer_list<Dtype> dtypes;  ///< those it may have
};

/// What the format says of a tensor of that name, or nullptr.
const KnownTensor* find_known_tensor(std::string_view name);

}  // namespace lcm
