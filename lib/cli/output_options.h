#pragma once

#include <memory>
#include <string>

#include "lib/base/bytes.h"
#include "lib/cli/depfile.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// What any output of a tool has: where it goes and what happens to a file that is there.
struct OutputOptions {
    std::string path = "-";  ///< `-o`, "-" is stdout
    bool force = false, no_clobber = false, if_changed = false, timestamps = false;
    DepfileOptions depfile;

    /// Declares the flags but `-o`, which says what is written.
    void declare(CLI::App& app);
    /// The time to write into the output, ISO 8601; empty without `--timestamps`. SOURCE_DATE_EPOCH rules it. @throws Error(config)
    std::string created() const;
    /// @throws Error(usage) for flags that contradict each other
    void check();
    /// Refuses what opening the output would refuse, without making it. @throws Error(cannot_create), Error(usage)
    void expect_possible() const;
};

/// Refuses binary data on a terminal, unless forced, and on a stdout that was closed; for a tool that must know before its work.
/// @throws Error(usage), Error(io)
void expect_binary_output(const OutputOptions& options);

/// Opens `path` ("-" is stdout) as `options` say. @throws Error(usage) for a terminal unless forced, Error(cannot_create)
std::unique_ptr<ByteSink> open_sink(const std::string& path, const OutputOptions& options);

}  // namespace lcm::cli
