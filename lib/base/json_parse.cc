#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/text.h"

namespace lcm {

namespace {

constexpr std::size_t depth_limit = 32;
constexpr std::uint64_t file_limit = std::uint64_t{64} << 20;

std::string line_and_column(std::string_view text, std::size_t position) {
    const std::string_view before = text.substr(0, position);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = newline == std::string_view::npos ? position : position - newline - 1;
    return fmt::format("line {}, column {}", line, column);
}

/// What the parser's events have in common for all that listen to them.
class Listener {
public:
    Listener(std::string_view text, const std::string& place) : text_(text), place_(place) {}

    bool binary(nlohmann::json::binary_t&) { return false; }  // never sent for text
    template <typename Fault>
    bool parse_error(std::size_t position, const std::string&, const Fault&) {
        throw Error(ExitCode::data, place_, "bad JSON at " + line_and_column(text_, std::min(position, text_.size())));
    }

protected:
    /// The place of member `key` of what stands at `place`.
    static std::string place_of(const std::string& place, std::string_view key) {
        return fmt::format("{}: key {}", place, json_quote(key));
    }
    [[noreturn]] static void refuse_duplicate(const std::string& place, std::string_view key) {
        throw Error(ExitCode::data, place, "duplicate key " + json_quote(key));
    }
    static bool fits(std::uint64_t value) { return value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()); }

    std::string_view text_;
    const std::string& place_;
};

/// Builds the tree, since nlohmann's own keeps the last of two equal keys.
class TreeBuilder : public Listener {
public:
    using Listener::Listener;

    Json take() { return std::move(root_); }

    bool null() { return add(nullptr); }
    bool boolean(bool value) { return add(value); }
    bool number_integer(std::int64_t value) { return add(value); }
    bool number_unsigned(std::uint64_t value) {
        return fits(value) ? add(static_cast<std::int64_t>(value)) : add(static_cast<double>(value));
    }
    bool number_float(double value, const std::string&) { return add(value); }
    bool string(std::string& value) { return add(std::move(value)); }
    bool start_object(std::size_t) { return open(Json::Object{}); }
    bool start_array(std::size_t) { return open(Json::Array{}); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    bool key(std::string& name) {
        Level& level = levels_.back();
        if (std::get<Json::Object>(level.value).contains(name)) refuse_duplicate(level.place, name);
        level.key = name;
        return true;
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
        return place_of(level.place, level.key);
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

    std::vector<Level> levels_;
    Json root_;
};

/// Hands on the members of an object of integers.
class IntegerReader : public Listener {
public:
    IntegerReader(std::string_view text, const std::string& place, const TakeInteger& take) : Listener(text, place), take_(take) {}

    bool null() { return refuse(nullptr); }
    bool boolean(bool value) { return refuse(value); }
    bool number_integer(std::int64_t value) { return in_object_ ? add(value) : refuse(value); }
    bool number_unsigned(std::uint64_t value) {
        return fits(value) ? number_integer(static_cast<std::int64_t>(value)) : refuse(static_cast<double>(value));
    }
    bool number_float(double value, const std::string&) { return refuse(value); }
    bool string(std::string& value) { return refuse(std::move(value)); }
    bool start_object(std::size_t) {
        if (in_object_) return refuse(Json::Object{});
        return in_object_ = true;
    }
    bool start_array(std::size_t) { return refuse(Json::Array{}); }
    bool end_object() { return true; }
    bool end_array() { return true; }
    bool key(std::string& name) {
        key_ = std::move(name);
        return true;
    }

private:
    bool add(std::int64_t value) {
        if (!take_(key_, value)) refuse_duplicate(place_, key_);
        return true;
    }
    /// Fails as the accessor of a tree would that finds this value.
    bool refuse(Json::Value value) const {
        if (in_object_)
            Json(std::move(value), place_of(place_, key_)).as_integer();
        else
            Json(std::move(value), place_).as_object();
        return false;
    }

    const TakeInteger& take_;
    std::string key_;
    bool in_object_ = false;
};

template <typename Events>
void listen(std::string_view text, const std::string& place, Events& events) {
    if (text.starts_with("\xEF\xBB\xBF"))
        throw Error(ExitCode::data, place, "begins with a byte-order mark", "save it as UTF-8 without one");
    if (text.find('\0') != std::string_view::npos)
        throw Error(ExitCode::data, place, "a zero byte in JSON");  // the parser would take it for the end
    if (!is_utf8(text)) throw Error(ExitCode::data, place, "is not valid UTF-8");
    nlohmann::json::sax_parse(text, &events);
}

}  // namespace

Json parse_json(std::string_view text, const std::string& place) {
    TreeBuilder builder(text, place);
    listen(text, place, builder);
    return builder.take();
}

void parse_json_integers(std::string_view text, const std::string& place, const TakeInteger& take) {
    IntegerReader reader(text, place, take);
    listen(text, place, reader);
}

Json read_json_file(const std::string& path) { return parse_json(read_text_file(path, file_limit), path); }

void read_json_integers(const std::string& path, const TakeInteger& take) {
    parse_json_integers(read_text_file(path, file_limit), path, take);
}

}  // namespace lcm
