#include "lib/core/adapter/base_adapter.h"

#include <algorithm>

namespace lcm {

bool AdapterSet::changes(Network network) const {
    return std::ranges::any_of(adapters, [&](const auto& adapter) { return adapter->changes(network); });
}

std::string_view name(AdapterMode mode) { return mode == AdapterMode::merge ? "merge" : "runtime"; }

}  // namespace lcm
