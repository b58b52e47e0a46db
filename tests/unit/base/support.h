#pragma once

#include <functional>
#include <string>

#include "lib/base/bytes.h"
#include "lib/base/error.h"

namespace lcm::test {

/// What a call throws as "code: where: what", or "nothing".
std::string error_of(const std::function<void()>& call);

/// A new empty folder, removed with its files at the end of the test.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    std::string path(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }
    /// How many names the folder holds.
    std::size_t count() const;

private:
    std::string path_;
};

void write_file(const std::string& path, std::string_view text);
std::string read_file(const std::string& path);

/// The two ends of a new pipe; the test closes them.
struct Pipe {
    int read_end, write_end;
};
Pipe make_pipe();

}  // namespace lcm::test
