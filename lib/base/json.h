#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lcm {

/// A JSON value of a configuration file. Objects keep their keys sorted.
///
/// The accessors check: a wrong type or a missing key is `Error(data)` that names the place (`unet/config.json: key "in_channels"`).
class Json {
public:
    using Array = std::vector<Json>;
    using Object = std::map<std::string, Json, std::less<>>;
    using Value = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object>;

    Json() = default;
    Json(Value value, std::string place) : value_(std::move(value)), place_(std::move(place)) {}

    bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
    bool is_bool() const { return std::holds_alternative<bool>(value_); }
    bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
    bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
    bool is_string() const { return std::holds_alternative<std::string>(value_); }
    bool is_array() const { return std::holds_alternative<Array>(value_); }
    bool is_object() const { return std::holds_alternative<Object>(value_); }

    bool as_bool() const;
    std::int64_t as_integer() const;
    double as_number() const;
    const std::string& as_string() const;
    const Array& as_array() const;
    const Object& as_object() const;

    /// The member, or nullptr when this is no object, the key is absent or its value is null.
    const Json* find(std::string_view key) const;
    /// The member. @throws Error(data) when it is absent or null
    const Json& at(std::string_view key) const;

    /// Member `key` converted, or `fallback` when absent or null.
    bool get(std::string_view key, bool fallback) const;
    std::int64_t get(std::string_view key, std::int64_t fallback) const;
    double get(std::string_view key, double fallback) const;
    std::string get(std::string_view key, const char* fallback) const;

    /// Where this value stands, for messages.
    const std::string& place() const { return place_; }

private:
    Value value_ = nullptr;
    std::string place_;
};

/// Parses strictly: valid UTF-8, no duplicate keys, depth at most 32, nothing after the value. `place` names the text in errors.
/// @throws Error(data)
Json parse_json(std::string_view text, const std::string& place);

/// Reads and parses a JSON file of at most 64 MiB. @throws Error(no_input), Error(data)
Json read_json_file(const std::string& path);

/// Takes a member of an object of integers. @return false when it has one of that name
using TakeInteger = std::function<bool(const std::string& name, std::int64_t value)>;

/// Parses an object whose members are integers, as `parse_json` would, in their order and without a tree: a vocabulary's would be ten
/// times its size. @throws Error(data)
void parse_json_integers(std::string_view text, const std::string& place, const TakeInteger& take);

/// The same for a JSON file of at most 64 MiB. @throws Error(no_input), Error(data)
void read_json_integers(const std::string& path, const TakeInteger& take);

/// `text` as a JSON string with quotes: `"`, `\` and U+0000-U+001F escaped (short form where there is one), all else raw.
std::string json_quote(std::string_view text);

/// Writes `value` without white space, keys sorted, numbers by `format_number`.
std::string to_json(const Json& value);

}  // namespace lcm
