#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/input/text/text_encoder.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// The syntax that `--prompt-syntax` calls so: "plain", "a1111" or "comfy".
std::optional<PromptSyntax> prompt_syntax(const std::string& name);

/// How prompts are read: weights in them, layers left out, learned words.
struct TextOptions {
    int clip_skip = 0;
    std::vector<std::string> embeddings;  ///< NAME=FILE each

    void declare(CLI::App& app);
    /// @throws Error(usage)
    void check();

    /// The settings for a model, with its embeddings read. @throws Error(usage), Error(data), Error(no_input)
    TextSettings settings(const Bundle& bundle) const;
    /// The files of the embeddings.
    std::vector<std::string> files() const;

private:
    std::string syntax_ = "plain";
};

}  // namespace lcm::cli
