#include "lib/render/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/base/version.h"
#include "lib/core/adapter/control_entry.h"
#include "lib/render/provenance.h"
#include "lib/sampling/control_kind.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

/// The last line of an A1111 text: `Key: value` pairs joined by `, `.
class Pairs {
public:
    void add(std::string_view name, std::string_view value) {
        if (value.empty()) return;
        if (!line_.empty()) line_ += ", ";
        const bool quoted = value.find_first_of(",:\n") != std::string_view::npos;
        line_.append(name).append(": ").append(quoted ? json_quote(value) : value);
    }

    const std::string& line() const { return line_; }

private:
    std::string line_;
};

std::string value_of(const Record& record, std::string_view key) {
    const auto* value = record.find(key);
    return value == nullptr ? std::string() : *value;
}

/// A1111's names; a sampler that it does not have keeps ours.
std::string sampler_name(const Record& record) {
    constexpr std::pair<std::string_view, std::string_view> names[] = {{"lcm", "LCM"},         {"tcd", "TCD"},          {"ddim", "DDIM"},
                                                                       {"ddpm", "DDPM"},       {"pndm", "PLMS"},        {"euler", "Euler"},
                                                                       {"euler-a", "Euler a"}, {"dpm++2m", "DPM++ 2M"}, {"unipc", "UniPC"}};
    const std::string ours = value_of(record, key::sampler);
    const auto found = std::ranges::find(names, ours, [](const auto& pair) { return pair.first; });
    return found == std::end(names) ? ours : std::string(found->second);
}

/// A1111 names the device that drew the noise, and takes a missing name for a GPU.
std::string rng_name(const std::string& rng) {
    if (rng == "torch-cpu") return "CPU";
    return rng == "philox" ? "Philox" : std::string();
}

/// A1111 counts from 1, the last layer; the record counts skipped layers from 0.
std::string clip_skip_of(const Record& record) {
    const auto* recorded = record.find(key::clip_skip);
    if (recorded == nullptr) return "1";
    const auto skipped = parse_u64(*recorded);
    if (!skipped || *skipped > 100) throw Error(ExitCode::data, record.place, std::string(key::clip_skip) + " is no number of layers");
    return std::to_string(*skipped + 1);
}

/// A model named by a path is known by its last part; the folders above it are the user's own.
std::string model_name(std::string_view model) {
    while (model.ends_with('/')) model.remove_suffix(1);
    return std::string(model.substr(model.rfind('/') + 1));
}

/// The steering networks, numbered kind by kind as A1111 numbers its ControlNets.
void add_steering(Pairs& pairs, const Record& record) {
    std::map<std::string_view, int> counts;
    for (const auto& entry : read_controls(record)) {
        const ControlKind* known = find_control_kind(entry.kind);
        const std::string_view kind = known == nullptr ? "Steering" : known->title;
        std::string text = entry.map.empty() ? "" : fmt::format("Map: {}, ", entry.map);
        text += fmt::format("Model: {} [{}], Weight: {}", model_name(entry.file), entry.sha256.substr(0, 10), format_number(entry.scale));
        if (!entry.map.empty())
            text +=
                fmt::format(", Guidance Start: {}, Guidance End: {}", format_number(entry.window.start), format_number(entry.window.end));
        if (entry.guess) text += ", Guess Mode: true";
        pairs.add(fmt::format("{} {}", kind, counts[kind]++), text);
    }
}

std::string parameter_line(const Record& record) {
    Pairs pairs;
    pairs.add("Steps", value_of(record, key::steps));
    pairs.add("Sampler", sampler_name(record));
    pairs.add("CFG scale", value_of(record, key::guidance));
    pairs.add("Seed", value_of(record, key::seed));
    pairs.add("Size", value_of(record, key::size));
    pairs.add("Model hash", value_of(record, key::unet_sha256).substr(0, 10));
    pairs.add("Model", model_name(value_of(record, key::model)));
    pairs.add("Precision", value_of(record, key::precision));
    pairs.add("Device", value_of(record, key::device));
    pairs.add("Clip skip", clip_skip_of(record));
    pairs.add("RNG", rng_name(value_of(record, key::rng)));
    add_steering(pairs, record);
    pairs.add("Version", std::string("lcm ") + version());
    return pairs.line();
}

std::string prompt_lines(const Record& record) {
    std::string lines;
    if (const auto prompt = value_of(record, key::prompt); !prompt.empty()) lines += prompt + "\n";
    if (const auto negative = value_of(record, key::negative_prompt); !negative.empty()) lines += "Negative prompt: " + negative + "\n";
    return lines;
}

}  // namespace

PictureText recipe(const Record& record, MetadataLevel level, bool provenance, std::string_view created) {
    PictureText text;
    if (level == MetadataLevel::full) text.parameters = prompt_lines(record);
    if (level != MetadataLevel::none) text.parameters += parameter_line(record);
    const auto* source = record.find(key::source);
    const std::string_view term = source == nullptr ? made_by_model : std::string_view(*source);
    if (provenance && term.empty()) throw Error(ExitCode::data, record.place, std::string(key::source) + " is empty");
    if (provenance || !created.empty()) text.xmp = provenance_xmp(provenance ? term : std::string_view(), created);
    return text;
}

}  // namespace lcm
