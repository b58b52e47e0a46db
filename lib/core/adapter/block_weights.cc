#include "lib/core/adapter/block_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

namespace lcm {
namespace {

constexpr const char* example = "write NAME:NUMBER with commas between, such as down:1,mid:0.5,up.2:0";

std::string full_name(const ModuleRef& module) { return fmt::format("{}.{}", name(module.network), module.module); }

/// The beginning of full names that a name stands for.
std::string expanded(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> words{{{"down", "unet.down_blocks"},
                                                                                         {"mid", "unet.mid_block"},
                                                                                         {"up", "unet.up_blocks"},
                                                                                         {"text", "text_encoder"},
                                                                                         {"text_encoder", "text_encoder"},
                                                                                         {"text_encoder_2", "text_encoder_2"}}};
    const std::size_t dot = name.find('.');
    const std::string_view first = name.substr(0, dot), rest = dot == name.npos ? "" : name.substr(dot);
    const auto found = std::ranges::find(words, first, &std::pair<std::string_view, std::string_view>::first);
    if (found == words.end()) return "unet." + std::string(name);
    const bool layer = found->second.starts_with("text") && !rest.empty() && parse_u64(rest.substr(1));
    return fmt::format("{}{}{}", found->second, layer ? ".encoder.layers" : "", rest);
}

}  // namespace

bool BlockWeights::Rule::matches(std::string_view full) const {
    return full.starts_with(prefix) && (full.size() == prefix.size() || full[prefix.size()] == '.');
}

BlockWeights BlockWeights::parse(std::string_view text) {
    BlockWeights weights;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        const std::string_view item = text.substr(0, comma);
        text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
        const std::size_t colon = item.rfind(':');
        const auto factor = colon == item.npos ? std::nullopt : parse_number(item.substr(colon + 1));
        if (!factor || colon == 0)
            throw Error(ExitCode::data, "block weights", fmt::format("\"{}\" gives a block no weight", escape_control(item)), example);
        Rule rule{std::string(item.substr(0, colon)), expanded(item.substr(0, colon)), *factor};
        if (std::ranges::find(weights.rules_, rule.prefix, &Rule::prefix) != weights.rules_.end())
            throw Error(ExitCode::data, "block weights", fmt::format("\"{}\" stands twice", escape_control(rule.written)), "give it once");
        weights.rules_.push_back(std::move(rule));
    }
    return weights;
}

double BlockWeights::of(const ModuleRef& module) const {
    const std::string full = full_name(module);
    const Rule* longest = nullptr;
    for (const Rule& rule : rules_)
        if (rule.matches(full) && (!longest || rule.prefix.size() > longest->prefix.size())) longest = &rule;
    return longest ? longest->factor : 1;
}

void BlockWeights::expect_known(const ModelParameters& parameters) const {
    for (const Rule& rule : rules_) {
        const bool known = std::ranges::any_of(parameters, [&](const auto& network) {
            return std::ranges::any_of(network.second, [&](const auto& parameter) {
                return rule.matches(full_name({network.first, module_of(parameter.first)}));
            });
        });
        if (known) continue;
        throw Error(ExitCode::data, "block weights", fmt::format("the model has no block \"{}\"", escape_control(rule.written)),
                    "use down, mid or up, with a number from 0 such as down.1, or text");
    }
}

}  // namespace lcm
