#include <fmt/format.h>

#include "lib/base/json.h"
#include "lib/base/version.h"
#include "lib/stream/keys.h"
#include "lib/stream/writer.h"

namespace lcm {

namespace {

constexpr std::size_t largest_history = 65'536;
constexpr std::int64_t most_dropped = std::int64_t{1} << 48;
constexpr std::string_view dropped_key = "dropped";

struct History {
    std::int64_t dropped = 0;          // entries folded away, the oldest ones
    std::vector<std::string> entries;  // canonical JSON, oldest first

    std::string text() const {
        std::string list = dropped == 0 ? "" : fmt::format("{{\"{}\":{}}}", dropped_key, dropped);
        for (const std::string& entry : entries) {
            list += list.empty() ? "" : ",";
            list += entry;
        }
        return fmt::format("[{}]", list);
    }
};

History parse_history(const Record& record) {
    History history;
    const std::string* text = record.find(key::history);
    if (text == nullptr) return history;
    const Json list = parse_json(*text, fmt::format("{}: key \"{}\"", record.place, key::history));
    for (const Json& entry : list.as_array()) {
        const Json* dropped = history.entries.empty() ? entry.find(dropped_key) : nullptr;
        if (dropped == nullptr) {
            history.entries.push_back(to_json(entry));
            continue;
        }
        const std::int64_t count = dropped->as_integer();
        if (count < 1 || count > most_dropped - history.dropped)
            throw Error(ExitCode::data, dropped->place(), fmt::format("{} is no number of entries", count));
        history.dropped += count;
    }
    return history;
}

std::string format_entry(std::string_view tool, const std::vector<std::string>& args, std::string_view time) {
    std::string list;
    for (const std::string& arg : args) {
        list += list.empty() ? "" : ",";
        list += json_quote(arg);
    }
    const std::string when = time.empty() ? "" : fmt::format("\"time\":{},", json_quote(time));
    return fmt::format("{{\"args\":[{}],{}\"tool\":{},\"version\":{}}}", list, when, json_quote(tool), json_quote(version()));
}

}  // namespace

void add_history(Record& record, std::string_view tool, const std::vector<std::string>& args, std::string_view time) {
    History history = parse_history(record);
    history.entries.push_back(format_entry(tool, args, time));
    std::string text = history.text();
    while (text.size() > largest_history) {
        history.entries.erase(history.entries.begin());
        ++history.dropped;
        text = history.text();
    }
    record.set(key::history, std::move(text));
    record.set(key::tool, std::string(tool));
}

}  // namespace lcm
