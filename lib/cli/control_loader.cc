#include "lib/cli/control_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/sampling/control_files.h"
#include "lib/sampling/control_kind.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace {

/// The entry as its flag would be written.
std::string flag_text(const ControlEntry& entry, const std::string& path) {
    std::string text = fmt::format("--{} {}{}{}:{}", entry.kind, entry.map, entry.map.empty() ? "" : "=", path, format_number(entry.scale));
    if (entry.window != StepWindow{}) text += fmt::format(":{}-{}", format_number(entry.window.start), format_number(entry.window.end));
    return escape_control(text + (entry.guess ? " --guess-mode" : ""));
}

std::string flag_texts(const std::vector<ControlEntry>& entries) {
    std::string all;
    for (const auto& entry : entries) all += (all.empty() ? "" : " ") + flag_text(entry, entry.file);
    return all;
}

bool is_recorded(const std::string& path, const ControlEntry& entry) {
    try {
        return control_sha256(path) == entry.sha256;
    } catch (const Error&) {
        return false;  // a hint is the word of a stranger: whatever is wrong with it, the network is not there
    }
}

/// What the entries do, wherever their files lie.
std::string identity_of(std::vector<ControlEntry> entries) {
    if (entries.empty()) return {};
    for (auto& entry : entries) entry.file.clear();
    return controls_json(entries);
}

}  // namespace

ControlLoader::ControlLoader(const ControlOptions& options, const Bundle& bundle)
    : options_(options), unet_(UNetConfig::from_json(bundle.config(Part::unet)), bundle.device()) {
    unet_.type = type_of(bundle.precision());
    unet_.pack_cache = bundle.pack_cache();
}

std::vector<ControlEntry> ControlLoader::asked(const Record& record) {
    if (!flags_) flags_ = options_.entries();
    auto entries = *flags_;
    for (auto& entry : entries)
        if (control_kind(entry.kind, record.place).follows_map) entry.map = followed_map(record, entry.map);
    return entries;
}

std::vector<ControlEntry> ControlLoader::listed(const Record& record) {
    auto recorded = read_controls(record), wished = asked(record);
    if (recorded.empty() && record.find(key::step) == nullptr) return wished;
    const auto same = [](const ControlEntry& one, const ControlEntry& other) { return one.same(other); };
    if (wished.empty() || std::ranges::equal(recorded, wished, same)) return recorded;
    throw Error(ExitCode::usage, fmt::format("--{}", wished.front().kind),
                recorded.empty() ? fmt::format("would steer a picture that {} was begun without", record.place)
                                 : fmt::format("contradicts the record, which has {}", flag_texts(recorded)),
                "leave it out, or start from the conditioning");
}

std::string ControlLoader::locate(const ControlEntry& entry, const std::string& place) const {
    if (flags_)
        for (const auto& flag : *flags_)
            if (flag.sha256 == entry.sha256) return flag.file;
    if (!entry.file.empty() && is_recorded(entry.file, entry)) return entry.file;
    constexpr std::size_t shown = 12;
    throw Error(ExitCode::data, place,
                fmt::format("is steered by the {} with SHA-256 {}..., which is not found here", entry.kind, entry.sha256.substr(0, shown)),
                fmt::format("say where it is: {}", flag_text(entry, "PATH")));
}

const ControlSet& ControlLoader::open(const std::vector<ControlEntry>& entries, const std::string& place) {
    const auto identity = identity_of(entries);
    if (identity == set_.identity) return set_;
    ControlSet set;
    std::vector<std::string> files;
    for (const auto& entry : entries) {
        files.push_back(locate(entry, place));
        set.add(entry, files.back(), unet_, place);
    }
    set.identity = identity;
    set_ = std::move(set);
    files_ = std::move(files);
    return set_;
}

}  // namespace lcm::cli
