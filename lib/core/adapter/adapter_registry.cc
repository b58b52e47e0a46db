#include "lib/core/adapter/adapter_registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/text.h"

namespace lcm {

AdapterRegistry::AdapterRegistry(std::vector<AdapterKind> kinds) : kinds_(std::move(kinds)) {
    std::set<std::string> seen;
    for (const AdapterKind& kind : kinds_)
        if (!seen.insert(kind.name).second)
            throw Error(ExitCode::software, "the list of adapters", fmt::format("\"{}\" is registered twice", kind.name));
}

std::shared_ptr<const BaseAdapter> AdapterRegistry::open(const AdapterEntry& entry, const std::string& path,
                                                         const AdapterTarget& target) const {
    const auto kind = std::ranges::find(kinds_, entry.kind, &AdapterKind::name);
    if (kind != kinds_.end()) return kind->open(entry, path, target);
    throw Error(ExitCode::data, path, fmt::format("there is no adapter of kind \"{}\"", escape_control(entry.kind)),
                fmt::format("known kinds: {}", fmt::join(names(), ", ")));
}

std::vector<std::string> AdapterRegistry::names() const {
    std::vector<std::string> names;
    for (const AdapterKind& kind : kinds_) names.push_back(kind.name);
    return names;
}

}  // namespace lcm
