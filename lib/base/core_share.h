#pragma once

#include <string>

namespace lcm {

/// One budget of cores for the tools of a user that compute at the same moment: those of a pipe, and pipes side by side.
///
/// Each tool at work holds the lock of one byte of a file without content that all of them open; the kernel gives a lock back when its
/// process ends in any way. Where there is no such file a tool has all cores.
class CoreShare {
public:
    /// @param cores  to share, at least 1
    /// @param path   the file; made when it is not there. Tools with the same path share. Empty: none do
    explicit CoreShare(int cores, const std::string& path);
    ~CoreShare();
    CoreShare(const CoreShare&) = delete;
    CoreShare& operator=(const CoreShare&) = delete;

    /// This tool computes from now on.
    void begin();
    /// It waits: for input, for a reader, or is done.
    void end();

    /// Cores for this tool now: all, divided by the tools that compute (this one counts), at least 1.
    int cores() const;

private:
    bool lock(int seat, bool take) const;
    int others(int first, int last) const;

    int cores_, descriptor_ = -1, seat_ = -1;
};

/// Where the tools of this user that run on the same processors meet; empty where the system has no memory for it.
std::string core_share_path();

}  // namespace lcm
