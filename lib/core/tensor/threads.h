#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lcm {

/// Cores this process may use: affinity mask and cgroup quota, at least 1.
int available_cores();

/// Cores that the CPU quotas of cgroup version 1 or 2 grant, rounded up; nothing where there is no quota.
///
/// The process's own group and all groups above it count: the smallest quota holds.
/// @param root         where cgroups are mounted (`/sys/fs/cgroup`)
/// @param memberships  the text of `/proc/self/cgroup`
std::optional<int> cgroup_cores(const std::string& root, std::string_view memberships);

/// Sets libtorch's intra-op threads (0 = available_cores()). The one place that touches thread counts.
void set_threads(int count);

}  // namespace lcm
