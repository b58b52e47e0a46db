#include "lib/core/adapter/control_entry.h"

#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/core/adapter/entry_list.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr const char* what = "steering networks";

ControlEntry entry_of(const Json& json) {
    expect_members(json, {"kind", "map", "sha256", "scale", "start", "end", "guess", "file"}, what);
    ControlEntry entry;
    entry.kind = json.at("kind").as_string();
    entry.map = json.get("map", "");
    entry.sha256 = entry_sha256(json);
    entry.scale = entry_number(json, "scale", 1);
    entry.window = {entry_number(json, "start", 0), entry_number(json, "end", 1)};
    if (!(entry.window.start >= 0 && entry.window.start < entry.window.end && entry.window.end <= 1))
        throw Error(ExitCode::data, json.place(), "start and end are no share of the steps, from 0 to 1");
    entry.guess = json.get("guess", false);
    entry.file = json.get("file", "");
    return entry;
}

Json json_of(const ControlEntry& entry) {
    Json::Object object{{"kind", Json(entry.kind, "")},          {"sha256", Json(entry.sha256, "")},  {"scale", Json(entry.scale, "")},
                        {"start", Json(entry.window.start, "")}, {"end", Json(entry.window.end, "")}, {"file", Json(entry.file, "")}};
    if (!entry.map.empty()) object.emplace("map", Json(entry.map, ""));
    if (entry.guess) object.emplace("guess", Json(true, ""));
    return Json(std::move(object), "");
}

}  // namespace

bool StepWindow::holds(int step, int steps) const {
    return static_cast<double>(step) / steps >= start && static_cast<double>(step + 1) / steps <= end;
}

bool ControlEntry::same(const ControlEntry& other) const {
    return kind == other.kind && map == other.map && sha256 == other.sha256 && scale == other.scale && window == other.window &&
           guess == other.guess;
}

std::vector<ControlEntry> read_controls(const Record& record) {
    std::vector<ControlEntry> controls;
    for (const Json& one : entry_list(record, key::steering, what)) controls.push_back(entry_of(one));
    return controls;
}

std::string controls_json(const std::vector<ControlEntry>& controls) {
    Json::Array array;
    for (const ControlEntry& entry : controls) array.push_back(json_of(entry));
    return to_json(Json(std::move(array), ""));
}

void write_controls(Record& record, const std::vector<ControlEntry>& controls) {
    write_list(record, key::steering, controls.empty(), controls_json(controls));
}

}  // namespace lcm
