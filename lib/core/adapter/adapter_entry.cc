#include "lib/core/adapter/adapter_entry.h"

#include <utility>

#include "lib/base/json.h"
#include "lib/core/adapter/entry_list.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr const char* what = "adapters";

AdapterEntry entry_of(const Json& json) {
    expect_members(json, {"id", "kind", "sha256", "weight", "blocks", "schedule", "file", "rule", "text"}, what);
    AdapterEntry entry;
    entry.kind = json.at("kind").as_string();
    entry.sha256 = entry_sha256(json);
    entry.id = json.get("id", "");
    entry.weight = entry_number(json, "weight", 1);
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
    std::vector<AdapterEntry> entries;
    for (const Json& one : entry_list(record, key::adapters, what)) entries.push_back(entry_of(one));
    return entries;
}

std::string adapters_json(const std::vector<AdapterEntry>& adapters) {
    Json::Array array;
    for (const AdapterEntry& entry : adapters) array.push_back(json_of(entry));
    return to_json(Json(std::move(array), ""));
}

void write_adapters(Record& record, const std::vector<AdapterEntry>& adapters) {
    write_list(record, key::adapters, adapters.empty(), adapters_json(adapters));
}

}  // namespace lcm
