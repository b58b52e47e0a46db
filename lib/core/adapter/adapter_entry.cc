#include "lib/core/adapter/adapter_entry.h"

#include <fmt/format.h>

#include <cmath>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr std::size_t most_adapters = 64, digits = 64;

AdapterEntry entry_of(const Json& json) {
    for (const auto& [name, value] : json.as_object())
        if (name != "id" && name != "kind" && name != "sha256" && name != "weight" && name != "blocks" && name != "schedule" &&
            name != "file" && name != "rule" && name != "text")
            throw Error(ExitCode::data, value.place(), fmt::format("adapters have no \"{}\"", escape_control(name)),
                        "use the version of the tools that wrote the record");
    AdapterEntry entry;
    entry.kind = json.at("kind").as_string();
    entry.sha256 = json.at("sha256").as_string();
    if (entry.sha256.size() != digits || entry.sha256.find_first_not_of("0123456789abcdef") != std::string::npos)
        throw Error(ExitCode::data, json.at("sha256").place(), "is no SHA-256 of 64 hex digits");
    entry.id = json.get("id", "");
    entry.weight = json.get("weight", 1.0);
    if (!std::isfinite(entry.weight)) throw Error(ExitCode::data, json.place(), "the weight is no number");
    entry.blocks = json.get("blocks", "");
    entry.schedule = json.get("schedule", "");
    entry.file = json.get("file", "");
    entry.rule = json.get("rule", "");
    entry.text = json.get("text", false);
    return entry;
}

Json json_of(const AdapterEntry& entry) {
    Json::Object object{{"id", Json(entry.id, "")},         {"kind", Json(entry.kind, "")},     {"sha256", Json(entry.sha256, "")},
                        {"weight", Json(entry.weight, "")}, {"blocks", Json(entry.blocks, "")}, {"schedule", Json(entry.schedule, "")},
                        {"file", Json(entry.file, "")}};
    if (!entry.rule.empty()) object.emplace("rule", Json(entry.rule, ""));
    if (entry.text) object.emplace("text", Json(true, ""));
    return Json(std::move(object), "");
}

}  // namespace

std::vector<AdapterEntry> read_adapters(const Record& record) {
    const std::string* text = record.find(key::adapters);
    if (!text) return {};
    const std::string place = fmt::format("{}: {}", record.place, key::adapters);
    const Json json = parse_json(*text, place);
    if (json.as_array().size() > most_adapters)
        throw Error(ExitCode::data, place, fmt::format("lists {} adapters, more than {}", json.as_array().size(), most_adapters));
    std::vector<AdapterEntry> entries;
    for (const Json& one : json.as_array()) entries.push_back(entry_of(one));
    return entries;
}

std::string adapters_json(const std::vector<AdapterEntry>& adapters) {
    Json::Array array;
    for (const AdapterEntry& entry : adapters) array.push_back(json_of(entry));
    return to_json(Json(std::move(array), ""));
}

void write_adapters(Record& record, const std::vector<AdapterEntry>& adapters) {
    if (adapters.empty()) {
        if (const auto found = record.metadata.find(key::adapters); found != record.metadata.end()) record.metadata.erase(found);
        return;
    }
    record.set(key::adapters, adapters_json(adapters));
}

}  // namespace lcm
