#include "lib/cli/adapter_loader.h"

#include <fmt/format.h>

#include <utility>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/cli/adapter_path.h"
#include "lib/cli/prompt_adapters.h"
#include "lib/core/adapter/adapter_file.h"
#include "lib/core/bundle/bundle_parameters.h"
#include "lib/optimize/init.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace {

/// What an entry does, whatever file it was found in.
std::string identity_of(std::vector<AdapterEntry> entries, AdapterMode mode) {
    if (entries.empty()) return {};
    for (auto& entry : entries) {
        entry.id.clear();
        entry.file.clear();
        entry.text = false;
    }
    return fmt::format("{} {}", name(mode), adapters_json(entries));
}

constexpr const char* text_hint = "give --lora to lcm-encode, or pipe the record through lcm-stylize";

}  // namespace

AdapterLoader::AdapterLoader(const Bundle& bundle, const AdapterOptions& options) : options_(options), parameters_(parameters_of(bundle)) {}

std::vector<AdapterEntry> AdapterLoader::asked(Record& record) {
    auto entries = read_adapters(record);
    if (const auto* prompt = record.find(key::prompt)) {
        auto text = *prompt;
        for (const auto& request : take_adapters(text, fmt::format("{}: {}", record.place, key::prompt)))
            entries.push_back(options_.entry_of(request, find_installed_adapter(request.name, record.place)));
        if (text != *prompt) record.set(key::prompt, text);
    }
    add_flags(entries);
    return entries;
}

std::vector<AdapterEntry> AdapterLoader::listed(const Record& record) {
    auto entries = read_adapters(record);
    add_flags(entries);
    return entries;
}

void AdapterLoader::add_flags(std::vector<AdapterEntry>& entries) {
    if (!flags_) flags_ = options_.entries();
    entries.insert(entries.end(), flags_->begin(), flags_->end());
}

const AdapterSet& AdapterLoader::open(const std::vector<AdapterEntry>& entries, const std::string& place) {
    const auto identity = identity_of(entries, options_.mode);
    if (identity == set_.identity) return set_;
    if (!target_) {
        target_.emplace(parameters_);
        target_->allow_unused = options_.allow_unused;
    }
    std::vector<std::string> given, files;
    if (flags_)
        for (const auto& entry : *flags_) given.push_back(entry.file);
    AdapterSet set{{}, options_.mode, identity};
    for (const auto& entry : entries) {
        files.push_back(locate_adapter(entry, given, place));
        set.adapters.push_back(adapter_registry().open(entry, files.back(), *target_));
    }
    set_ = std::move(set);
    files_ = std::move(files);
    return set_;
}

bool AdapterLoader::changes_text(std::size_t index) const {
    const auto& adapter = *set_.adapters.at(index);
    return adapter.changes(Network::text_encoder) || adapter.changes(Network::text_encoder_2);
}

bool AdapterLoader::text_is_missing(const std::vector<AdapterEntry>& entries) const {
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (!entries[i].text && changes_text(i)) return true;
    return false;
}

void AdapterLoader::mark_text(std::vector<AdapterEntry>& entries) const {
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i].text = changes_text(i);
}

void AdapterLoader::expect_text(const std::vector<AdapterEntry>& entries, const std::string& place) const {
    for (std::size_t i = 0; i < entries.size(); ++i)
        if (!entries[i].text && changes_text(i))
            throw Error(
                ExitCode::data, place,
                fmt::format("adapter \"{}\" changes the text encoder, but the text was encoded without it", escape_control(entries[i].id)),
                text_hint);
}

}  // namespace lcm::cli
