#include "lib/cli/request_feed.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"
#include "lib/cli/prompt_options.h"
#include "lib/input/text/text_encoder.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace {

constexpr std::size_t longest_line = 4 * prompt_limit;  // two prompts with their escapes
const std::vector<std::string> fields{"prompt", "negative", "seed",     "size",   "width", "height",
                                      "steps",  "guidance", "adapters", "output", "id"};

std::string key_list() { return fmt::format("{}", fmt::join(fields, ", ")); }

[[noreturn]] void refuse(const Json& value, const std::string& what) {
    throw Error(ExitCode::data, value.place(), what, "correct the request");
}

void check_fields(const Json& request) {
    for (const auto& [name, value] : request.as_object()) {
        if (std::ranges::find(fields, name) != fields.end()) continue;
        const auto near = nearest(name, fields);
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

void set_generation(Record& record, const Json& request) {
    if (const auto* seed = request.find("seed")) record.set(key::seed, seed_text(*seed));
    if (const auto size = size_text(request)) record.set(key::size, *size);
    if (const auto* steps = request.find("steps")) record.set(key::steps, std::to_string(whole(*steps, 1, 1000)));
    if (const auto* guidance = request.find("guidance")) record.set(key::guidance, format_number(guidance->as_number()));
    const auto* adapters = request.find("adapters");
    if (adapters != nullptr && !adapters->as_array().empty())
        throw Error(ExitCode::unavailable, adapters->place(), "no tool applies adapters yet", "leave them out");
}

Record make_record(const Json& request, std::size_t number, std::string& id) {
    check_fields(request);
    if (const auto* name = name_of(request)) id = name->as_string();
    const auto* negative = request.find("negative");
    auto record =
        prompt_record(request.at("prompt").as_string(), negative == nullptr ? std::nullopt : std::optional(negative->as_string()), number);
    record.place = fmt::format("request {}", number);
    if (!id.empty()) record.set(key::id, id);
    set_generation(record, request);
    return record;
}

}  // namespace

void RequestOptions::declare(CLI::App& app) {
    app.add_option("--requests", path, "Read requests, one JSON object a line, with the keys " + key_list() + "; - is stdin")
        ->type_name("FILE")
        ->group(group::io);
}

void RequestOptions::check() const {
    if (path.empty()) throw Error(ExitCode::usage, "", "a subcommand or --requests is required", "run with --help for the subcommands");
}

std::unique_ptr<RecordFeed> RequestOptions::open() const { return std::make_unique<RequestFeed>(path); }

RequestFeed::RequestFeed(const std::string& path) : lines_(open_source(path), longest_line) {}

std::optional<Record> RequestFeed::next() {
    while (const auto line = lines_.next()) {
        if (line->find_first_not_of(" \t") == std::string::npos) continue;
        const auto number = number_++;
        std::string id;
        try {
            return make_record(parse_json(*line, fmt::format("request {}", number)), number, id);
        } catch (const Error& error) {
            throw RecordFailure(error, id);
        }
    }
    if (number_ == 0) throw Error(ExitCode::data, lines_.name(), "holds no request", "write one JSON object a line");
    return std::nullopt;
}

}  // namespace lcm::cli
