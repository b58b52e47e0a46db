#include "lib/style/prompt_template.h"

#include <string_view>
#include <utility>

#include "lib/base/error.h"

namespace lcm {
namespace {

constexpr std::string_view place = "{prompt}";

}  // namespace

PromptTemplate::PromptTemplate(std::string text) : text_(std::move(text)) {
    if (text_.find(place) == std::string::npos)
        throw Error(ExitCode::usage, "--template", "has no place for the prompt", "write {prompt} where it belongs");
}

std::string PromptTemplate::apply(const std::string& prompt) const {
    std::string result;
    std::size_t begin = 0;
    for (std::size_t at = 0; (at = text_.find(place, begin)) != std::string::npos; begin = at + place.size())
        result.append(text_, begin, at - begin).append(prompt);
    return result.append(text_, begin);
}

}  // namespace lcm
