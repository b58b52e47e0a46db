#include "lib/core/tensor/threads.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "lib/base/core_share.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

TEST_CASE("the cores of a process are at least one and at most the machine's") {
    CHECK(available_cores() >= 1);
    CHECK(available_cores() <= static_cast<int>(std::thread::hardware_concurrency()));
}

TEST_CASE("quotas of cgroup version 2 round up, and the smallest above the process holds") {
    const TemporaryFolder root;
    const std::string membership = "0::/system/job\n";
    CHECK_FALSE(cgroup_cores(root.path(), membership).has_value());

    write_file(root / "system/job/cpu.max", "max 100000\n");
    CHECK_FALSE(cgroup_cores(root.path(), membership).has_value());

    write_file(root / "system/job/cpu.max", "350000 100000\n");
    CHECK(cgroup_cores(root.path(), membership) == 4);

    write_file(root / "system/cpu.max", "200000 100000\n");
    CHECK(cgroup_cores(root.path(), membership) == 2);

    write_file(root / "cpu.max", "1000 100000\n");
    CHECK(cgroup_cores(root.path(), membership) == 1);
}

TEST_CASE("quotas of cgroup version 1, and a path that is not visible inside a container") {
    const TemporaryFolder root;
    const std::string membership = "4:memory:/job\n3:cpu,cpuacct:/docker/0123\n";
    write_file(root / "cpu/cpu.cfs_quota_us", "150000\n");
    write_file(root / "cpu/cpu.cfs_period_us", "100000\n");
    CHECK(cgroup_cores(root.path(), membership) == 2);
    write_file(root / "cpu/cpu.cfs_quota_us", "-1\n");
    CHECK_FALSE(cgroup_cores(root.path(), membership).has_value());
}

TEST_CASE("broken cgroup files are no quota") {
    const TemporaryFolder root;
    for (const char* text : {"", "100000", "100000 0", "100000 max", "1e5 100000"}) {
        write_file(root / "cpu.max", text);
        CHECK_FALSE(cgroup_cores(root.path(), "0::/\n").has_value());
    }
    write_file(root / "cpu.max", "100000 100000");
    for (const char* membership : {"", "\n", "0", "0:", "1:memory:/"}) CHECK_FALSE(cgroup_cores(root.path(), membership).has_value());
}

TEST_CASE("threads are set, and 0 asks for all cores") {
    set_threads(1);
    CHECK(at::get_num_threads() == 1);
    set_threads(0);
    CHECK(at::get_num_threads() == available_cores());
}

TEST_CASE("a computation gives cores to a tool that begins, and takes them back") {
    const TemporaryFolder folder;
    const int all = available_cores(), half = std::max(1, all / 2);
    ThreadBudget budget(0, folder / "share");
    CoreShare other(all, folder / "share");
    CHECK(at::get_num_threads() == all);
    other.begin();
    share_cores();
    CHECK(at::get_num_threads() == all);  // nothing computes
    budget.begin();
    CHECK(at::get_num_threads() == half);
    other.end();
    share_cores();
    CHECK(at::get_num_threads() == all);
    other.begin();
    share_cores();
    CHECK(at::get_num_threads() == half);
    budget.end();
    other.end();
    share_cores();
    CHECK(at::get_num_threads() == half);
    set_threads(0);
}

TEST_CASE("a number of threads that was asked for stays") {
    const TemporaryFolder folder;
    ThreadBudget budget(3, folder / "share");
    CoreShare other(available_cores(), folder / "share");
    budget.begin();
    other.begin();
    share_cores();
    CHECK(at::get_num_threads() == 3);
    budget.end();
    set_threads(0);
}
