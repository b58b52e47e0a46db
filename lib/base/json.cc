#include "lib/base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

namespace lcm {

namespace {

constexpr std::size_t depth_limit = 32;
constexpr std::uint64_t file_limit = std::uint64_t{64} << 20;

std::string_view type_name(const Json& value) {
    return value.is_null()      ? "null"
           : value.is_bool()    ? "true or false"
           : value.is_integer() ? "an integer"
           : value.is_number()  ? "a number"
           : value.is_string()  ? "a string"
           : value.is_array()   ? "a list"
                                : "an object";
}

template <typename Wanted>
const Wanted& expect(const Json& value, const Json::Value& held, std::string_view wanted) {
    if (const Wanted* found = std::get_if<Wanted>(&held)) return *found;
    throw Error(ExitCode::data, value.place(), fmt::format("expected {}, found {}", wanted, type_name(value)));
}

std::string line_and_column(std::string_view text, std::size_t position) {
    const std::string_view before = text.substr(0, position);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = newline == std::string_view::npos ? position : position - newline - 1;
    return fmt::format("line {}, column {}", line, column);
}

// Builds the tree from the parser's events, since nlohmann's own tree keeps the last of two equal keys.
class TreeBuilder {
public:
    TreeBuilder(std::string_view text, const std::string& place) : text_(text), place_(place) {}

    Json take() { return std::move(root_); }

    bool null() { return add(nullptr); }
    bool boolean(bool value) { return add(value); }
    bool number_integer(std::int64_t value) { return add(value); }
    bool number_unsigned(std::uint64_t value) {
        const bool fits = value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        return fits ? add(static_cast<std::int64_t>(value)) : add(static_cast<double>(value));
    }
    bool number_float(double value, const std::string&) { return add(value); }
    bool string(std::string& value) { return add(std::move(value)); }
    bool binary(nlohmann::json::binary_t&) { return false; }  // never sent for text
    bool start_object(std::size_t) { return open(Json::Object{}); }
    bool start_array(std::size_t) { return open(Json::Array{}); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    bool key(std::string& name) {
        Level& level = levels_.back();
        if (std::get<Json::Object>(level.value).contains(name))
            throw Error(ExitCode::data, level.place, "duplicate key " + json_quote(name));
        level.key = name;
        return true;
    }
    template <typename Fault>
    bool parse_error(std::size_t position, const std::string&, const Fault&) {
        throw Error(ExitCode::data, place_, "bad JSON at " + line_and_column(text_, std::min(position, text_.size())));
    }

private:
    struct Level {
        Json::Value value;
        std::string place, key;
    };

    std::string place_of_next() const {
        if (levels_.empty()) return place_;
        const Level& level = levels_.back();
        if (const auto* array = std::get_if<Json::Array>(&level.value)) return fmt::format("{}: item {}", level.place, array->size());
        return fmt::format("{}: key {}", level.place, json_quote(level.key));
    }
    bool add(Json::Value value) {
        Json item(std::move(value), place_of_next());
        if (levels_.empty())
            root_ = std::move(item);
        else if (auto* array = std::get_if<Json::Array>(&levels_.back().value))
            array->push_back(std::move(item));
        else
            std::get<Json::Object>(levels_.back().value).emplace(std::move(levels_.back().key), std::move(item));
        return true;
    }
    bool open(Json::Value empty) {
        if (levels_.size() == depth_limit)
            throw Error(ExitCode::data, place_, fmt::format("JSON nested deeper than {} levels", depth_limit));
        levels_.push_back({std::move(empty), place_of_next(), {}});
        return true;
    }
    bool close() {
        Json::Value finished = std::move(levels_.back().value);
        levels_.pop_back();
        return add(std::move(finished));
    }

    std::string_view text_;
    const std::string& place_;
    std::vector<Level> levels_;
    Json root_;
};

void write_json(const Json& value, std::string& out);

void write_object(const Json::Object& object, std::string& out) {
    out += '{';
    for (const auto& [key, member] : object) {
        out += out.back() == '{' ? "" : ",";
        out += json_quote(key) + ':';
        write_json(member, out);
    }
    out += '}';
}

void write_array(const Json::Array& array, std::string& out) {
    out += '[';
    for (const Json& item : array) {
        out += out.back() == '[' ? "" : ",";
        write_json(item, out);
    }
    out += ']';
}

void write_json(const Json& value, std::string& out) {
    if (value.is_null())
        out += "null";
    else if (value.is_bool())
        out += value.as_bool() ? "true" : "false";
    else if (value.is_integer())
        out += std::to_string(value.as_integer());
    else if (value.is_number())
        out += format_number(value.as_number());
    else if (value.is_string())
        out += json_quote(value.as_string());
    else if (value.is_array())
        write_array(value.as_array(), out);
    else
        write_object(value.as_object(), out);
}

}  // namespace

bool Json::as_bool() const { return expect<bool>(*this, value_, "true or false"); }
std::int64_t Json::as_integer() const { return expect<std::int64_t>(*this, value_, "an integer"); }
double Json::as_number() const { return is_integer() ? static_cast<double>(as_integer()) : expect<double>(*this, value_, "a number"); }
const std::string& Json::as_string() const { return expect<std::string>(*this, value_, "a string"); }
const Json::Array& Json::as_array() const { return expect<Array>(*this, value_, "a list"); }
const Json::Object& Json::as_object() const { return expect<Object>(*this, value_, "an object"); }

const Json* Json::find(std::string_view key) const {
    const Object* object = std::get_if<Object>(&value_);
    if (object == nullptr) return nullptr;
    const auto found = object->find(key);
    return found == object->end() || found->second.is_null() ? nullptr : &found->second;
}

const Json& Json::at(std::string_view key) const {
    as_object();
    if (const Json* member = find(key)) return *member;
    throw Error(ExitCode::data, place_, fmt::format("key {} is missing", json_quote(key)));
}

bool Json::get(std::string_view key, bool fallback) const {
    const Json* member = find(key);
    return member == nullptr ? fallback : member->as_bool();
}

std::int64_t Json::get(std::string_view key, std::int64_t fallback) const {
    const Json* member = find(key);
    return member == nullptr ? fallback : member->as_integer();
}

double Json::get(std::string_view key, double fallback) const {
    const Json* member = find(key);
    return member == nullptr ? fallback : member->as_number();
}

std::string Json::get(std::string_view key, const char* fallback) const {
    const Json* member = find(key);
    return member == nullptr ? fallback : member->as_string();
}

Json parse_json(std::string_view text, const std::string& place) {
    if (text.starts_with("\xEF\xBB\xBF"))
        throw Error(ExitCode::data, place, "begins with a byte-order mark", "save it as UTF-8 without one");
    if (text.find('\0') != std::string_view::npos)
        throw Error(ExitCode::data, place, "a zero byte in JSON");  // the parser would take it for the end
    if (!is_utf8(text)) throw Error(ExitCode::data, place, "is not valid UTF-8");
    TreeBuilder builder(text, place);
    nlohmann::json::sax_parse(text, &builder);
    return builder.take();
}

Json read_json_file(const std::string& path) { return parse_json(read_text_file(path, file_limit), path); }

std::string json_quote(std::string_view text) {
    std::string quoted = "\"";
    quoted.reserve(text.size() + 2);
    for (const char c : text) {
        switch (c) {
            case '"':
                quoted += "\\\"";
                break;
            case '\\':
                quoted += "\\\\";
                break;
            case '\b':
                quoted += "\\b";
                break;
            case '\f':
                quoted += "\\f";
                break;
            case '\n':
                quoted += "\\n";
                break;
            case '\r':
                quoted += "\\r";
                break;
            case '\t':
                quoted += "\\t";
                break;
            default:
                if (static_cast<unsigned char>(c) < 0x20)
                    quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
                else
                    quoted += c;
        }
    }
    return quoted + '"';
}

std::string to_json(const Json& value) {
    std::string out;
    write_json(value, out);
    return out;
}

}  // namespace lcm
