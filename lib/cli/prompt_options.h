#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/cli/record_io.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// Where prompts come from: operands and `-p`, lines of `--prompt-file`, or records (`-i`) that carry or get one.
struct PromptOptions {
    std::vector<std::string> prompts;
    std::string prompt_file;
    std::optional<std::string> negative;
    RecordInputOptions records;

    void declare(CLI::App& app);
    /// @throws Error(usage) when there is no prompt or two sources of one
    void check() const;
};

/// Records to encode, each with its prompt set, one after the other.
class PromptFeed {
public:
    virtual ~PromptFeed() = default;
    /// The next record or end record; nothing at the end. `final` is set where it is known.
    virtual std::optional<Record> next() = 0;

    /// @throws Error(usage), Error(no_input)
    static std::unique_ptr<PromptFeed> open(const PromptOptions& options);
};

}  // namespace lcm::cli
