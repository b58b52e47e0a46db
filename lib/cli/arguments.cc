#include "lib/cli/arguments.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "lib/base/error.h"
#include "lib/base/text.h"

namespace lcm::cli {
namespace {

/// Hidden names: what users type who come from make's compilers or from another program that draws.
const std::map<std::string, std::string> aliases{
    {"-MD", "--MD"},           {"-MF", "--MF"}, {"-MT", "--MT"}, {"--cfg-scale", "--guidance"}, {"--batch-count", "--batch"},
    {"--init-img", "--input"},
};

std::string own_name(const std::string& name) {
    const auto alias = aliases.find(name);
    return alias == aliases.end() ? name : alias->second;
}

void refuse_negative_prompt(const std::vector<std::string>& words, std::size_t at) {
    if (words[at] != "-n" || at + 1 == words.size() || words[at + 1].starts_with('-')) return;
    std::error_code ignored;
    if (std::filesystem::exists(words[at + 1], ignored)) return;
    throw Error(ExitCode::usage, "-n", fmt::format("is --dry-run, and \"{}\" is no file", escape_control(words[at + 1])),
                "a negative prompt is -N");
}

}  // namespace

std::vector<std::string> prepare_arguments(const std::vector<std::string>& words, const TakesValue& takes_value) {
    std::vector<std::string> prepared;
    std::size_t at = 0;
    for (; at < words.size() && words[at] != "--"; ++at) {
        refuse_negative_prompt(words, at);
        const auto equals = words[at].starts_with("--") ? words[at].find('=') : std::string::npos;
        const auto name = own_name(words[at].substr(0, equals));
        if (equals == std::string::npos) {
            prepared.push_back(name);
            if (takes_value(name) && at + 1 < words.size()) prepared.push_back(words[++at]);
        } else if (equals + 1 == words[at].size() && takes_value(name)) {
            prepared.insert(prepared.end(), {name, ""});  // the parser would take the next word for the value
        } else {
            prepared.push_back(name + words[at].substr(equals));
        }
    }
    prepared.insert(prepared.end(), words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
    return prepared;
}

}  // namespace lcm::cli
