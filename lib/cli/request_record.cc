#include "lib/cli/request_record.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cli/adapter_options.h"
#include "lib/cli/adapter_path.h"
#include "lib/cli/prompt_options.h"
#include "lib/cli/text_options.h"
#include "lib/core/adapter/block_weights.h"
#include "lib/core/adapter/dora.h"
#include "lib/core/adapter/entry_list.h"
#include "lib/sampling/convention.h"
#include "lib/sampling/run_settings.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace {

[[noreturn]] void refuse(const Json& value, const std::string& what) {
    throw Error(ExitCode::data, value.place(), what, "correct the request");
}

void check_members(const Json& request) {
    const auto& members = request_members();
    for (const auto& [name, value] : request.as_object()) {
        if (std::ranges::find(members, name) != members.end()) continue;
        const auto near = nearest(name, members);
        throw Error(ExitCode::data, request.place(), fmt::format("unknown key \"{}\"", escape_control(name)),
                    near.empty() ? "lcm-encode --help lists the keys" : fmt::format("did you mean \"{}\"?", near));
    }
}

std::int64_t whole(const Json& value, std::int64_t low, std::int64_t high) {
    const auto number = value.as_integer();
    if (number < low || number > high) refuse(value, fmt::format("{} is not between {} and {}", number, low, high));
    return number;
}

std::string seed_text(const Json& value) {
    if (value.is_string() ? parse_u64(value.as_string()).has_value() : value.as_integer() >= 0)
        return value.is_string() ? value.as_string() : std::to_string(value.as_integer());
    refuse(value, "is no seed from 0 to 2^64-1");
}

std::optional<std::string> size_text(const Json& request) {
    const Json *size = request.find("size"), *width = request.find("width"), *height = request.find("height");
    if (size != nullptr && (width != nullptr || height != nullptr)) refuse(request, "gives \"size\" and \"width\" or \"height\"");
    if ((width == nullptr) != (height == nullptr)) refuse(request, "gives only one of \"width\" and \"height\"");
    if (width != nullptr) return fmt::format("{}x{}", whole(*width, 1, INT32_MAX), whole(*height, 1, INT32_MAX));
    if (size == nullptr) return std::nullopt;
    const auto& text = size->as_string();
    const auto cross = text.find('x');
    const auto side = [&](std::string_view part) { return parse_u64(part).value_or(0); };
    if (cross == std::string::npos || side(text.substr(0, cross)) == 0 || side(text.substr(cross + 1)) == 0)
        refuse(*size, fmt::format("\"{}\" is not WIDTHxHEIGHT", escape_control(text)));
    return text;
}

/// The name a request gives itself, for `lcm.id`.
const Json* name_of(const Json& request) {
    const Json *output = request.find("output"), *id = request.find("id");
    if (output != nullptr && id != nullptr) refuse(request, "gives both \"output\" and \"id\"");
    return output != nullptr ? output : id;
}

/// A number of the request from `low` to `high`.
std::string number_text(const Json& value, double low, double high) {
    const double number = value.as_number();
    if (!(number >= low && number <= high)) refuse(value, fmt::format("{} is not between {} and {}", number, low, high));
    return format_number(number);
}

/// A list of numbers, as records have it.
std::string list_text(const Json& value, bool whole_numbers) {
    std::vector<double> numbers;
    for (const auto& one : value.as_array()) numbers.push_back(whole_numbers ? static_cast<double>(one.as_integer()) : one.as_number());
    if (numbers.empty()) refuse(value, "is an empty list");
    return format_timesteps(numbers);
}

/// What `read` makes of the value; its own error would speak of a flag.
template <class Read>
auto named(const Json& value, const Read& read) {
    try {
        return read(value.as_string());
    } catch (const Error& error) {
        throw Error(error.code() == ExitCode::usage ? ExitCode::data : error.code(), value.place(), error.fault(), error.fix());
    }
}

std::string sampler_text(const Json& value) {
    return named(value, [](const std::string& name) {
        sampler_kind(parse_sampler_name(name).name, ExitCode::data, "sampler");
        return name;
    });
}

std::string syntax_text(const Json& value) {
    const auto syntax = prompt_syntax(value.as_string());
    if (!syntax) refuse(value, fmt::format("\"{}\" is neither plain, a1111 nor comfy", escape_control(value.as_string())));
    return std::string(name(*syntax));
}

AdapterEntry adapter_entry(const Json& json) {
    AdapterOptions options;
    AdapterRequest request;
    if (json.is_string()) {
        request = named(json, [](const std::string& text) { return parse_adapter(text, "adapters"); });
    } else {
        for (const auto& [member, value] : json.as_object())
            if (member != "id" && member != "weight" && member != "blocks" && member != "rule")
                refuse(value, fmt::format("adapters of requests have no \"{}\"", escape_control(member)));
        request = {json.at("id").as_string(), entry_number(json, "weight", 1)};
        if (const auto* blocks = json.find("blocks"))
            options.blocks = named(*blocks, [](const std::string& text) { return BlockWeights::parse(text), text; });
        if (const auto* rule = json.find("rule"))
            options.rule = named(*rule, [](const std::string& text) { return dora_rule(text), text; });
    }
    return options.entry_of(request, find_installed_adapter(request.name, json.place()));
}

void set_sampling(Record& record, const Json& request) {
    const auto set = [&](const char* member, std::string_view key, const auto& text) {
        if (const auto* value = request.find(member)) record.set(key, text(*value));
    };
    constexpr double most_guidance = 1000;
    set("steps", key::steps, [](const Json& value) { return std::to_string(whole(value, 1, 1000)); });
    set("guidance", key::guidance, [](const Json& value) { return number_text(value, 0, most_guidance); });
    set("sampler", key::sampler, sampler_text);
    set("eta", key::eta, [](const Json& value) { return number_text(value, 0, 1); });
    set("timesteps", key::timesteps, [](const Json& value) { return list_text(value, true); });
    set("sigmas", key::sigmas, [](const Json& value) { return list_text(value, false); });
    set("rng", key::rng, [](const Json& value) {
        return named(value, [](const std::string& name) { return std::string(name_of(rng_by_name(name, "rng"))); });
    });
    set("strength", key::strength, [](const Json& value) {
        if (!(value.as_number() > 0)) refuse(value, "is not above 0");
        return number_text(value, 0, 1);
    });
    set("strength_rule", key::strength_rule, [](const Json& value) {
        return named(value, [](const std::string& name) { return std::string(name_of(rule_by_name(name, "strength_rule"))); });
    });
}

void set_text(Record& record, const Json& request) {
    constexpr std::int64_t most_layers = 100;
    if (const auto* skip = request.find("clip_skip")) record.set(key::clip_skip, std::to_string(whole(*skip, 0, most_layers)));
    if (const auto* syntax = request.find("prompt_syntax")) record.set(key::prompt_weights, syntax_text(*syntax));
    const auto* adapters = request.find("adapters");
    if (adapters == nullptr) return;
    std::vector<AdapterEntry> entries;
    for (const auto& one : adapters->as_array()) entries.push_back(adapter_entry(one));
    write_adapters(record, entries);
}

}  // namespace

const std::vector<std::string>& request_members() {
    static const std::vector<std::string> members{
        "prompt",    "negative", "seed", "size",     "width",         "height",    "steps",         "guidance", "sampler", "eta",
        "timesteps", "sigmas",   "rng",  "strength", "strength_rule", "clip_skip", "prompt_syntax", "adapters", "output",  "id"};
    return members;
}

Record request_record(const Json& request, std::size_t number, std::string& id) {
    check_members(request);
    if (const auto* name = name_of(request)) id = name->as_string();
    const auto* negative = request.find("negative");
    auto record =
        prompt_record(request.at("prompt").as_string(), negative == nullptr ? std::nullopt : std::optional(negative->as_string()), number);
    record.place = fmt::format("request {}", number);
    if (!id.empty()) record.set(key::id, id);
    if (const auto* seed = request.find("seed")) record.set(key::seed, seed_text(*seed));
    if (const auto size = size_text(request)) record.set(key::size, *size);
    set_sampling(record, request);
    set_text(record, request);
    return record;
}

}  // namespace lcm::cli
