#include "lib/core/tensor/threads.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "lib/base/core_share.h"
#include "lib/base/log.h"
#include "lib/base/number.h"

namespace lcm {

namespace {

thread_local ThreadBudget* computing = nullptr;  // libtorch's number of threads belongs to the thread that sets it

/// Cores of the scheduling affinity mask, which may be larger than the fixed `cpu_set_t`.
int affinity_cores() {
    constexpr int most = 1 << 16;
    struct Free {
        void operator()(cpu_set_t* set) const { CPU_FREE(set); }
    };
    const std::unique_ptr<cpu_set_t, Free> set(CPU_ALLOC(most));
    const std::size_t size = CPU_ALLOC_SIZE(most);
    if (set && sched_getaffinity(0, size, set.get()) == 0) return CPU_COUNT_S(size, set.get());
    return static_cast<int>(std::thread::hardware_concurrency());
}

/// Whole cores of `quota` microseconds in each `period`; "max" and "-1" are no quota.
std::optional<int> quota_cores(const std::string& quota, const std::string& period) {
    const auto microseconds = parse_u64(quota);
    const auto length = parse_u64(period);
    if (!microseconds || !length || *length == 0) return std::nullopt;
    const std::uint64_t cores = *microseconds / *length + (*microseconds % *length != 0);
    return static_cast<int>(std::clamp<std::uint64_t>(cores, 1, 1 << 16));
}

/// The first two words of the files `names` in `folder`, read one after the other.
std::optional<int> folder_quota(const std::string& folder, std::initializer_list<const char*> names) {
    std::string words[2];
    std::size_t count = 0;
    for (const char* name : names) {
        std::ifstream file(folder + "/" + name);
        while (count < 2 && file >> words[count]) ++count;
    }
    return count == 2 ? quota_cores(words[0], words[1]) : std::nullopt;
}

std::optional<int> smaller(std::optional<int> a, std::optional<int> b) {
    if (a && b) return std::min(*a, *b);
    return a ? a : b;
}

/// The smallest quota of `group` ("/a/b") and every group above it. Inside a container the path may not exist: then the root counts.
std::optional<int> smallest_quota(const std::string& mount, std::string group, std::initializer_list<const char*> names) {
    std::optional<int> cores;
    while (true) {
        cores = smaller(cores, folder_quota(mount + group, names));
        const std::size_t slash = group.find_last_of('/');
        if (slash == std::string::npos) return cores;
        group.resize(slash);
    }
}

}  // namespace

std::optional<int> cgroup_cores(const std::string& root, std::string_view memberships) {
    std::optional<int> cores;
    while (!memberships.empty()) {
        // A line is "number:controllers:path"; version 2 has number 0 and no controllers.
        const std::string_view line = memberships.substr(0, memberships.find('\n'));
        memberships.remove_prefix(std::min(line.size() + 1, memberships.size()));
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
        const std::string group(line.substr(second + 1));
        if (controllers == ",,")
            cores = smaller(cores, smallest_quota(root, group, {"cpu.max"}));
        else if (controllers.find(",cpu,") != std::string::npos)
            cores = smaller(cores, smallest_quota(root + "/cpu", group, {"cpu.cfs_quota_us", "cpu.cfs_period_us"}));
    }
    return cores;
}

int available_cores() {
    std::ifstream file("/proc/self/cgroup");
    const std::string memberships(std::istreambuf_iterator<char>(file), {});
    const auto quota = cgroup_cores("/sys/fs/cgroup", memberships);
    const int cores = affinity_cores();
    return std::max(1, quota ? std::min(cores, *quota) : cores);
}

void set_threads(int count) {
    at::set_num_threads(count > 0 ? count : available_cores());
    debug(fmt::format("{} threads", at::get_num_threads()));
}

ThreadBudget::ThreadBudget(int wanted) : ThreadBudget(wanted, core_share_path()) {}

ThreadBudget::ThreadBudget(int wanted, const std::string& path)
    : fixed_(wanted > 0), share_(std::make_unique<CoreShare>(available_cores(), path)) {
    set_threads(wanted);
}

ThreadBudget::~ThreadBudget() { end(); }

void ThreadBudget::begin() {
    computing = this;
    share_->begin();
    adjust();
}

void ThreadBudget::adjust() {
    if (fixed_) return;
    if (const int cores = share_->cores(); cores != at::get_num_threads()) at::set_num_threads(cores);
}

void ThreadBudget::end() {
    if (computing == this) computing = nullptr;
    share_->end();
}

void share_cores() {
    if (computing != nullptr) computing->adjust();
}

}  // namespace lcm
