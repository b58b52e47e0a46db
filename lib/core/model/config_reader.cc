#include "lib/core/model/config_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lib/base/error.h"

namespace lcm {
namespace {

constexpr const char* unknown_fix = "use a model of a supported kind, or take the key out if it does not change the network";

std::int64_t checked_positive(const Json& value) {
    const std::int64_t number = value.as_integer();
    if (number < 1) throw Error(ExitCode::data, value.place(), fmt::format("{} is not a positive number", number));
    return number;
}

}  // namespace

ConfigReader::ConfigReader(const Json& json) : json_(json) { json.as_object(); }

const Json* ConfigReader::find(std::string_view key) {
    read_.emplace(key);
    return json_.find(key);
}

std::int64_t ConfigReader::positive(std::string_view key, std::int64_t fallback) {
    const Json* value = find(key);
    return value ? checked_positive(*value) : fallback;
}

double ConfigReader::number(std::string_view key, double fallback) {
    const Json* value = find(key);
    return value ? value->as_number() : fallback;
}

bool ConfigReader::flag(std::string_view key, bool fallback) {
    const Json* value = find(key);
    return value ? value->as_bool() : fallback;
}

std::vector<std::int64_t> ConfigReader::positive_list(std::string_view key) {
    find(key);
    std::vector<std::int64_t> list;
    for (const Json& value : json_.at(key).as_array()) list.push_back(checked_positive(value));
    if (list.empty()) refuse(key, "the list is empty");
    return list;
}

std::vector<std::int64_t> ConfigReader::per_block(std::string_view key, std::size_t count, std::int64_t fallback) {
    const Json* value = find(key);
    if (!value) return std::vector<std::int64_t>(count, fallback);
    if (!value->is_array()) return std::vector<std::int64_t>(count, checked_positive(*value));
    std::vector<std::int64_t> list = positive_list(key);
    if (list.size() != count) refuse(key, fmt::format("{} numbers for {} blocks", list.size(), count));
    return list;
}

std::vector<std::string> ConfigReader::names(std::string_view key, std::size_t count, std::initializer_list<std::string_view> allowed) {
    find(key);
    std::vector<std::string> list;
    for (const Json& value : json_.at(key).as_array()) {
        const std::string& name = value.as_string();
        if (std::find(allowed.begin(), allowed.end(), name) == allowed.end())
            refuse(key, fmt::format("{} is not implemented, only {}", json_quote(name), fmt::join(allowed, ", ")));
        list.push_back(name);
    }
    if (list.size() != count) refuse(key, fmt::format("{} names for {} blocks", list.size(), count));
    return list;
}

void ConfigReader::only(std::string_view key, std::string_view json_text) {
    const Json* value = find(key);
    if (!value) return;
    const std::string text = to_json(*value);
    if (text != json_text) refuse(key, fmt::format("{} is not implemented, only {}", text, json_text));
}

void ConfigReader::ignore(std::initializer_list<std::string_view> keys) { read_.insert(keys.begin(), keys.end()); }

void ConfigReader::finish() const {
    for (const auto& [key, value] : json_.as_object())
        if (!key.starts_with('_') && !value.is_null() && !read_.contains(key)) refuse(key, "unknown to this network");
}

void ConfigReader::refuse(std::string_view key, const std::string& what) const {
    throw Error(ExitCode::data, fmt::format("{}: key {}", json_.place(), json_quote(key)), what, unknown_fix);
}

}  // namespace lcm
