#include "lib/core/adapter/entry_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"
#include "lib/base/text.h"

namespace lcm {
namespace {

constexpr std::size_t longest_list = 64, digits = 64;

}  // namespace

Json::Array entry_list(const Record& record, std::string_view key, std::string_view what) {
    const std::string* text = record.find(key);
    if (!text) return {};
    const std::string place = fmt::format("{}: {}", record.place, key);
    const Json json = parse_json(*text, place);
    if (json.as_array().size() > longest_list)
        throw Error(ExitCode::data, place, fmt::format("lists {} {}, more than {}", json.as_array().size(), what, longest_list));
    return json.as_array();
}

void expect_members(const Json& entry, std::initializer_list<std::string_view> known, std::string_view what) {
    for (const auto& [name, value] : entry.as_object())
        if (std::ranges::find(known, name) == known.end())
            throw Error(ExitCode::data, value.place(), fmt::format("{} have no \"{}\"", what, escape_control(name)),
                        "use the version of the tools that wrote the record");
}

std::string entry_sha256(const Json& entry) {
    const Json& hash = entry.at("sha256");
    const std::string& text = hash.as_string();
    if (text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos) return text;
    throw Error(ExitCode::data, hash.place(), "is no SHA-256 of 64 hex digits");
}

double entry_number(const Json& entry, std::string_view member, double fallback) {
    const double value = entry.get(member, fallback);
    if (std::isfinite(value)) return value;
    throw Error(ExitCode::data, entry.place(), fmt::format("the {} is no number", member));
}

void write_list(Record& record, std::string_view key, bool empty, const std::string& text) {
    if (!empty) return record.set(key, text);
    if (const auto found = record.metadata.find(key); found != record.metadata.end()) record.metadata.erase(found);
}

}  // namespace lcm
