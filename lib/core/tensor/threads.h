#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lcm {

class CoreShare;

/// Cores this process may use: affinity mask and cgroup quota, at least 1.
int available_cores();

/// Cores that the CPU quotas of cgroup version 1 or 2 grant, rounded up; nothing where there is no quota.
///
/// The process's own group and all groups above it count: the smallest quota holds.
/// @param root         where cgroups are mounted (`/sys/fs/cgroup`)
/// @param memberships  the text of `/proc/self/cgroup`
std::optional<int> cgroup_cores(const std::string& root, std::string_view memberships);

/// Sets libtorch's intra-op threads (0 = available_cores()). With `ThreadBudget` the one place that touches thread counts.
void set_threads(int count);

/// The threads of one tool among those of a pipe: a tool alone takes all cores, tools that compute at the same moment divide them. The
/// kernels give the same bytes with any number of threads (`MKL_CBWR` is set for that), so a picture does not depend on it.
class ThreadBudget {
public:
    /// @param wanted  a fixed number; 0 shares the available cores (`CoreShare`)
    explicit ThreadBudget(int wanted);
    /// @param path  where the tools meet (`CoreShare`)
    ThreadBudget(int wanted, const std::string& path);
    ~ThreadBudget();
    ThreadBudget(const ThreadBudget&) = delete;
    ThreadBudget& operator=(const ThreadBudget&) = delete;

    /// Computing begins.
    void begin();
    /// During it: takes the cores that others have left, leaves those that others need.
    void adjust();
    /// It ends, or waits for another tool.
    void end();

private:
    const bool fixed_;
    std::unique_ptr<CoreShare> share_;
};

/// Between two layers of a network, where a step or a decode takes seconds: adjusts the budget that computes on this thread, if one does.
void share_cores();

}  // namespace lcm
