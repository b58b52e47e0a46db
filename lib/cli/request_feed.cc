#include "lib/cli/request_feed.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/cli/command.h"
#include "lib/cli/request_record.h"
#include "lib/input/text/text_encoder.h"

namespace lcm::cli {
namespace {

constexpr std::size_t longest_line = 4 * prompt_limit;  // two prompts with their escapes

std::string key_list() { return fmt::format("{}", fmt::join(request_members(), ", ")); }

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
            return request_record(parse_json(*line, fmt::format("request {}", number)), number, id);
        } catch (const Error& error) {
            throw RecordFailure(error, id);
        }
    }
    if (number_ == 0) throw Error(ExitCode::data, lines_.name(), "holds no request", "write one JSON object a line");
    return std::nullopt;
}

}  // namespace lcm::cli
