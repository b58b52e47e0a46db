#include <ATen/ops/stack.h>
#include <doctest/doctest.h>

#include <map>

#include "lib/core/tensor/convert.h"
#include "lib/input/text/text_encoder.h"
#include "tests/golden/golden_case.h"

using namespace lcm;

namespace {

std::optional<std::string> optional(const Json& args, const char* key) {
    const Json* value = args.find(key);
    return value == nullptr ? std::nullopt : std::optional(value->as_string());
}

/// The prompts of a case, each with what stands beside it; pictures that share a prompt share its conditions.
std::vector<PromptTexts> texts_of(const Json& args) {
    std::vector<PromptTexts> texts;
    const Json* list = args.find("prompts");
    const std::int64_t pictures = args.get("images_per_prompt", std::int64_t{1});
    for (const Json& prompt : list != nullptr ? list->as_array() : Json::Array{args.at("prompt")})
        texts.insert(texts.end(), static_cast<std::size_t>(pictures),
                     {prompt.as_string(), optional(args, "negative"), optional(args, "prompt_2"), optional(args, "negative_2")});
    return texts;
}

}  // namespace

TEST_CASE("what the UNet receives of prompts") {
    golden::check_group("prompt", [](const golden::Case& one) {
        TextSettings settings;
        settings.clip_skip = static_cast<int>(one.args().get("clip_skip", std::int64_t{0}));
        TextEncoder encoder(Bundle::open(golden::folder() + "/" + one.args().at("model").as_string()), settings);
        std::map<std::string, std::vector<at::Tensor>> rows;
        for (const PromptTexts& texts : texts_of(one.args())) {
            const TextConditions conditions = encoder.encode(texts);
            rows["positive"].push_back(to_torch(conditions.embeds));
            if (!conditions.negative.shape.empty()) rows["negative"].push_back(to_torch(conditions.negative));
            if (!conditions.pooled.shape.empty()) rows["pooled"].push_back(to_torch(conditions.pooled));
            if (!conditions.negative_pooled.shape.empty()) rows["negative_pooled"].push_back(to_torch(conditions.negative_pooled));
        }
        golden::Results results;
        for (const auto& [name, tensors] : rows) results[name] = at::stack(tensors);
        return results;
    });
}
