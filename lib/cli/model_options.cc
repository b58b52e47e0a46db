#include "lib/cli/model_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* embedded_model = "emoji-128";

bool is_installed(const std::string& name) {
    std::error_code ignored;
    const bool plain = !name.empty() && name.find('/') == std::string::npos && name != "." && name != "..";
    return plain && fs::is_directory(models_folder() + "/" + name, ignored);
}

Bundle open_folder(const std::string& folder, const std::string& name) {
    info(fmt::format("model {} is {}", name, folder));
    return Bundle::open(folder, name);
}

Bundle open_named(const std::string& name) {
    std::error_code ignored;
    if (fs::exists(name, ignored)) return open_folder(name, name);
    if (is_installed(name)) return open_folder(models_folder() + "/" + name, name);
    throw Error(ExitCode::no_input, escape_control(name), "no such model folder, and no installed model of that name",
                fmt::format("installed models: {}", fmt::join(installed_models(), ", ")));
}

/// True when a part that the record was made with is the bundle's, by hash.
bool made_with(const Record& record, const Bundle& bundle) {
    for (const auto& [key, part] : {std::pair(key::unet_sha256, Part::unet), std::pair(key::text_sha256, Part::text_encoder)}) {
        const auto* recorded = record.find(key);
        if (recorded != nullptr) return bundle.has(part) && bundle.sha256(part) == *recorded;
    }
    return false;
}

/// The model in a folder that a record names, when it is the one that made the record.
std::optional<Bundle> open_hint(const std::string& folder, const Record& record) {
    try {
        auto bundle = Bundle::open(folder, folder);
        if (made_with(record, bundle)) return bundle;
    } catch (const Error&) {
        // A hint is the word of a stranger: whatever is wrong with it, the model is not there.
    }
    return std::nullopt;
}

}  // namespace

void ModelOptions::declare(CLI::App& app) {
    app.add_option("-m,--model", model, "Model: a diffusers folder or an installed model; else the record's own, else emoji-128")
        ->type_name("NAME|DIR")
        ->group(group::io);
}

Bundle ModelOptions::open() const { return open_named(model.empty() ? embedded_model : model); }

Bundle ModelOptions::open_for(const Record& record) const {
    const auto* hint = record.find(key::model);
    if (!model.empty() || hint == nullptr) return open();
    if (is_installed(*hint)) return open_named(*hint);
    if (auto bundle = open_hint(*hint, record)) return *std::move(bundle);
    throw Error(ExitCode::data, record.place, fmt::format("was made with model \"{}\", which is not found here", escape_control(*hint)),
                "name the model with -m");
}

std::string models_folder() {
    std::error_code ignored;
    const auto program = fs::read_symlink("/proc/self/exe", ignored);
    const auto installed = (program.parent_path() / LCM_MODELS_FROM_PROGRAMS).lexically_normal();
    return fs::is_directory(installed, ignored) ? installed.string() : LCM_MODELS_IN_SOURCE;
}

std::vector<std::string> installed_models() {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(models_folder(), ignored))
        if (fs::exists(entry.path() / "model_index.json", ignored)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}

}  // namespace lcm::cli
