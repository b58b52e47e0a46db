#include "lib/cli/prompt_adapters.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

namespace lcm::cli {
namespace {

constexpr std::string_view opening = "<lora:";

AdapterRequest request_of(const std::string& inside, const std::string& place) {
    const auto colon = inside.find(':');
    AdapterRequest request{inside.substr(0, colon)};
    const auto weight = colon == std::string::npos ? std::optional(1.0) : parse_number(inside.substr(colon + 1));
    if (weight && !request.name.empty()) return {request.name, *weight};
    throw Error(ExitCode::data, place, fmt::format("\"<lora:{}>\" is no adapter with one weight", escape_control(inside)),
                "write <lora:NAME:0.8>");
}

}  // namespace

std::vector<AdapterRequest> take_adapters(std::string& prompt, const std::string& place) {
    std::vector<AdapterRequest> requests;
    for (std::size_t begin = 0; (begin = prompt.find(opening, begin)) != std::string::npos;) {
        const auto end = prompt.find('>', begin);
        if (end == std::string::npos) throw Error(ExitCode::data, place, "a \"<lora:\" is not closed", "write <lora:NAME:0.8>");
        requests.push_back(request_of(prompt.substr(begin + opening.size(), end - begin - opening.size()), place));
        prompt.erase(begin, end + 1 - begin);
        const bool at_edge = begin == 0 || begin == prompt.size();
        if (begin < prompt.size() && prompt[begin] == ' ' && (at_edge || prompt[begin - 1] == ' ')) prompt.erase(begin, 1);
        if (begin == prompt.size() && begin > 0 && prompt[begin - 1] == ' ') prompt.erase(--begin, 1);
    }
    return requests;
}

}  // namespace lcm::cli
