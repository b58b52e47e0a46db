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
    void check();
};

/// Records to encode, each with its prompt set. @throws Error(usage), Error(no_input)
std::unique_ptr<RecordFeed> open_prompts(const PromptOptions& options);

/// A fresh record for record `number` of a run. Its identity is made of what is asked and of its place, so that two equal prompts stay
/// apart.
Record prompt_record(const std::string& prompt, const std::optional<std::string>& negative, std::size_t number);

}  // namespace lcm::cli
