#pragma once

#include <set>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace lcm::cli {

/// `-MD -MF FILE -MT TARGET`, as compilers have them: a file that tells make and ninja what an output was made from.
struct DepfileOptions {
    bool wanted = false;
    std::string path, target;

    void declare(CLI::App& app);
    /// @param output  what is written, for the usual names: OUTPUT.d, and OUTPUT as the target
    /// @throws Error(usage) for -MF or -MT without -MD, and for stdout without both
    void check(const std::string& output);
};

/// What a run has read, collected while it reads.
class Dependencies {
public:
    /// Takes a file in; "-" and what is no regular file are left out.
    void add(const std::string& path);
    /// Takes in the files of a model folder that models are read from: configurations, weights and vocabularies.
    void add_model(const std::string& folder);

    /// Writes `target: file ...` with an empty rule for each file, so that one that has gone is no error; escaped as make reads it.
    /// @throws Error(cannot_create), Error(io)
    void write(const DepfileOptions& options) const;

private:
    std::set<std::string> files_;
};

/// A file name as make reads it: spaces and # with a backslash, $ twice.
std::string escape_for_make(const std::string& name);

}  // namespace lcm::cli
