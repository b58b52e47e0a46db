#include "lib/cli/model_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* embedded_model = "emoji-128";

/// The folder of an installed model; empty when there is none of that name.
std::string installed_folder(const std::string& name) {
    if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..") return {};
    std::error_code ignored;
    for (const auto& folder : model_path())
        if (fs::is_directory(folder + "/" + name, ignored)) return folder + "/" + name;
    return {};
}

Bundle open_folder(const std::string& folder, const std::string& name, bool lenient) {
    info(fmt::format("model {} is {}", name, folder));
    return Bundle::open(folder, name, lenient);
}

Bundle open_named(const std::string& name, bool lenient) {
    std::error_code ignored;
    if (fs::exists(name, ignored)) return open_folder(name, name, lenient);
    if (const auto folder = installed_folder(name); !folder.empty()) return open_folder(folder, name, lenient);
    std::vector<std::string> names;
    for (const auto& model : installed_models()) names.push_back(model.name);
    const auto near = nearest(name, names);
    throw Error(ExitCode::no_input, escape_control(name), "no such model folder, and no installed model of that name",
                near.empty() ? fmt::format("installed models: {}", fmt::join(names, ", ")) : fmt::format("did you mean {}?", near));
}

/// The folder that comes with the tools, or that of the source tree when the tool runs from its build folder.
std::string own_models_folder() {
    std::error_code ignored;
    const auto program = fs::read_symlink("/proc/self/exe", ignored);
    const auto installed = (program.parent_path() / LCM_MODELS_FROM_PROGRAMS).lexically_normal();
    return fs::is_directory(installed, ignored) ? installed.string() : LCM_MODELS_IN_SOURCE;
}

/// The user's own data folder (XDG base directories).
std::string user_models_folder() {
    const char* data = std::getenv("XDG_DATA_HOME");
    if (data != nullptr && data[0] == '/') return std::string(data) + "/lcm/models";
    const char* home = std::getenv("HOME");
    return home != nullptr && home[0] == '/' ? std::string(home) + "/.local/share/lcm/models" : "";
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
    app.add_flag("--lenient", lenient, "Take weight files with unknown keys or holes in their headers, with a warning")->group(group::io);
}

Bundle ModelOptions::open() const { return open_named(model.empty() ? embedded_model : model, lenient); }

Bundle ModelOptions::open_for(const Record& record) const {
    const auto* hint = record.find(key::model);
    if (!model.empty() || hint == nullptr) return open();
    if (!installed_folder(*hint).empty()) return open_named(*hint, lenient);
    if (auto bundle = open_hint(*hint, record)) return *std::move(bundle);
    throw Error(ExitCode::data, record.place, fmt::format("was made with model \"{}\", which is not found here", escape_control(*hint)),
                "name the model with -m");
}

std::vector<std::string> model_path() {
    std::vector<std::string> folders;
    const char* own = std::getenv("LCM_MODEL_PATH");
    std::istringstream list(own == nullptr ? "" : own);
    for (std::string folder; std::getline(list, folder, ':');)
        if (!folder.empty()) folders.push_back(folder);
    if (const auto user = user_models_folder(); !user.empty()) folders.push_back(user);
    folders.push_back(own_models_folder());
    return folders;
}

std::vector<InstalledModel> installed_models() {
    std::vector<InstalledModel> models;
    std::error_code ignored;
    for (const auto& folder : model_path())
        for (const auto& entry : fs::directory_iterator(folder, ignored)) {
            const auto name = entry.path().filename().string();
            const bool known = std::ranges::find(models, name, &InstalledModel::name) != models.end();
            if (!known && fs::exists(entry.path() / "model_index.json", ignored)) models.push_back({name, entry.path().string()});
        }
    std::ranges::sort(models, {}, &InstalledModel::name);
    return models;
}

}  // namespace lcm::cli
