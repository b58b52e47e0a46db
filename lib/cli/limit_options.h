#pragma once

#include <string>
#include <vector>

#include "lib/base/resource_limits.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// `--limit memory=4GiB,pixels=64MP,record=1GiB,time=10m`, under the ceilings of policy files.
struct LimitOptions {
    std::vector<std::string> wanted;

    void declare(CLI::App& app);
    /// Sets `limits()`, the memory this process may take, and the clock that ends it.
    /// @throws Error(usage) for a wrong limit, Error(refused) for one above a policy's ceiling, Error(config) for a broken policy file
    void apply() const;
};

/// Lifts the limit of memory, so that one who has reached it can still tell.
void lift_memory_limit();

/// The ceilings of the policy files that are there: table `[limits]` with the keys of `--limit`, amounts as strings. Of several files
/// the lowest ceiling of each kind counts, so that a user's own file (`LCM_POLICY`) can only tighten the system's.
/// @throws Error(config)
Limits read_policies(const std::vector<std::string>& files);

/// The limits asked for, under `ceilings`; what is not asked for is the ceiling, or the usual limit where that is lower.
/// @throws Error(usage), Error(refused)
Limits tightened(const Limits& ceilings, const std::vector<std::string>& wanted);

}  // namespace lcm::cli
