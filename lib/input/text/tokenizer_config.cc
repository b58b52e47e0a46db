#include "lib/input/text/tokenizer_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/number.h"

namespace lcm {

namespace {

constexpr std::int64_t length_limit = 65536;
// In the reference's order, which decides whose flags count where two roles share a text.
constexpr std::array<std::string_view, 7> roles = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                   "pad_token", "cls_token", "mask_token"};

using Roles = std::map<std::string_view, AddedToken>;

AddedToken parse_token(const Json& json, bool special_by_default) {
    if (json.is_string()) return {.content = json.as_string(), .plain = true};
    for (const char* flag : {"single_word", "lstrip", "rstrip"})
        if (json.get(flag, false))
            throw Error(ExitCode::data, json.place(), fmt::format("\"{}\" of an added token is not supported", flag));
    AddedToken token;
    token.content = json.at("content").as_string();
    token.special = json.get("special", special_by_default);
    token.normalized = json.get("normalized", !token.special);
    return token;
}

void read_roles(const Json& json, bool special_by_default, Roles& tokens) {
    for (const std::string_view role : roles)
        if (const Json* value = json.find(role)) tokens[role] = parse_token(*value, special_by_default);
}

std::optional<Json> read_if_there(const std::string& path) {
    return std::filesystem::exists(path) ? std::optional(read_json_file(path)) : std::nullopt;
}

std::vector<AddedToken> in_order(const std::map<std::int64_t, AddedToken>& by_id) {
    std::vector<AddedToken> tokens;
    for (const auto& [id, token] : by_id) tokens.push_back(token);
    return tokens;
}

// "added_tokens_decoder": token by id, the form of transformers 4.34 and later.
std::vector<AddedToken> read_decoder(const Json& decoder) {
    std::map<std::int64_t, AddedToken> by_id;
    for (const auto& [key, value] : decoder.as_object()) {
        const std::optional<std::int64_t> id = parse_i64(key);
        if (!id) throw Error(ExitCode::data, value.place(), json_quote(key) + " is no token id");
        by_id[*id] = parse_token(value, false);
    }
    return in_order(by_id);
}

// added_tokens.json: id by token, the form before it.
std::vector<AddedToken> read_legacy(const Json& json, const Roles& tokens) {
    std::map<std::int64_t, AddedToken> by_id;
    for (const auto& [content, id] : json.as_object()) {
        const std::string& text = content;
        const bool special = std::any_of(tokens.begin(), tokens.end(), [&text](const auto& role) { return role.second.content == text; });
        by_id[id.as_integer()] = {.content = text, .normalized = !special, .special = special};
    }
    return in_order(by_id);
}

// Where a role's text is an added token already, the added token's flags count.
void add_roles(Roles tokens, std::vector<AddedToken>& added) {
    const std::size_t before = added.size();
    for (const std::string_view role : roles) {
        const auto found = tokens.find(role);
        if (found == tokens.end()) continue;
        const std::string& content = found->second.content;
        const bool is_there = std::any_of(added.begin(), added.begin() + static_cast<std::ptrdiff_t>(before),
                                          [&content](const AddedToken& token) { return token.content == content; });
        if (!is_there && std::find(added.begin(), added.end(), found->second) == added.end()) added.push_back(found->second);
    }
}

bool is_empty(const Json& value) {
    return (value.is_array() && value.as_array().empty()) || (value.is_object() && value.as_object().empty());
}

void refuse_extra_tokens(const Json& json) {
    for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
        const Json* value = json.find(key);
        if (value != nullptr && !is_empty(*value)) {
            throw Error(ExitCode::data, value->place(), "extra special tokens are not supported",
                        "list them under \"added_tokens_decoder\" instead");
        }
    }
}

}  // namespace

TokenizerConfig TokenizerConfig::read(const std::string& folder) {
    const Json json = read_json_file(folder + "/tokenizer_config.json");
    TokenizerConfig config;
    const std::int64_t length = json.at("model_max_length").as_integer();
    if (length < 2 || length > length_limit)
        throw Error(ExitCode::data, json.at("model_max_length").place(), fmt::format("{} is outside 2 to {}", length, length_limit));
    config.length = static_cast<std::size_t>(length);

    Roles tokens = {{"bos_token", {.content = config.bos, .plain = true}},
                    {"eos_token", {.content = config.eos, .plain = true}},
                    {"unk_token", {.content = config.unknown, .plain = true}},
                    {"pad_token", {.content = config.pad, .plain = true}}};
    read_roles(json, false, tokens);
    refuse_extra_tokens(json);
    if (const Json* decoder = json.find("added_tokens_decoder")) {
        config.added = read_decoder(*decoder);
    } else {
        if (const auto map = read_if_there(folder + "/special_tokens_map.json")) {
            read_roles(*map, true, tokens);
            refuse_extra_tokens(*map);
        }
        if (const auto legacy = read_if_there(folder + "/added_tokens.json")) config.added = read_legacy(*legacy, tokens);
    }
    config.bos = tokens["bos_token"].content;
    config.eos = tokens["eos_token"].content;
    config.unknown = tokens["unk_token"].content;
    config.pad = tokens["pad_token"].content;
    add_roles(std::move(tokens), config.added);
    return config;
}

TokenizerConfig TokenizerConfig::published(bool pads_with_zero) {
    constexpr std::size_t published_length = 77;
    TokenizerConfig config;
    config.length = published_length;
    if (pads_with_zero) config.pad = "!";
    config.added = {
        {.content = config.bos, .normalized = true}, {.content = config.eos, .normalized = true}, {.content = config.pad, .plain = true}};
    return config;
}

}  // namespace lcm
