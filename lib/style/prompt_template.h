#pragma once

#include <string>

namespace lcm {

/// A text with a place for the prompt: "oil painting of {prompt}".
class PromptTemplate {
public:
    /// @throws Error(usage) when `{prompt}` does not stand in it
    explicit PromptTemplate(std::string text);

    /// The template with every `{prompt}` replaced.
    std::string apply(const std::string& prompt) const;

private:
    std::string text_;
};

}  // namespace lcm
