#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lcm {

/// How a prompt marks the weights of its words.
enum class PromptSyntax {
    plain,  ///< not at all: every sign is text, and what does not fit 77 tokens is cut
    a1111,  ///< as the web UI of AUTOMATIC1111: (x) 1.1, [x] 1/1.1, (x:1.3), \( for a sign, BREAK for a new chunk
    comfy,  ///< as ComfyUI: (x) 1.1, (x:1.3), \( for a sign
};

/// The value of `lcm.prompt_weights`: "none", "a1111" or "comfy".
std::string_view name(PromptSyntax syntax);
/// The syntax of that name; nothing for another.
std::optional<PromptSyntax> syntax_named(std::string_view name);

/// A run of text of one weight.
struct PromptPiece {
    std::string text;
    double weight = 1;
    bool new_chunk = false;  ///< what is before it ends its chunk (BREAK)

    bool operator==(const PromptPiece&) const = default;
};

/// The pieces of a prompt in order; a prompt of no text is one empty piece. Signs without a partner are read as their program reads them:
/// nothing is an error.
std::vector<PromptPiece> parse_prompt(std::string_view prompt, PromptSyntax syntax);

}  // namespace lcm
