#include "lib/base/json.h"

#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/base/number.h"

namespace lcm {

namespace {

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
