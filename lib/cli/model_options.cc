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
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"
#include "lib/core/tensor/device.h"
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
    if (const auto* recorded = record.find(key::unet_sha256)) return bundle.has(Part::unet) && bundle.sha256(Part::unet) == *recorded;
    const auto* recorded = record.find(key::text_sha256);
    return recorded != nullptr && bundle.has(Part::text_encoder) && bundle.text_sha256() == *recorded;
}

/// The flag that gives a part of its own: "--text-encoder".
std::string flag_of(Part part) {
    std::string flag = fmt::format("--{}", folder(part));
    std::ranges::replace(flag, '_', '-');
    return flag;
}

constexpr const char* model_type = "NAME|DIR|FILE";

}  // namespace

void ModelOptions::declare(CLI::App& app, const std::vector<Part>& parts) {
    app.add_option("-m,--model", model,
                   "Model: a diffusers folder, a checkpoint or an installed model; else the record's own, else emoji-128")
        ->type_name(model_type)
        ->group(group::io);
    for (const Part part : parts)
        app.add_option(flag_of(part), parts_[part], fmt::format("Weights that take the place of the model's {}", folder(part)))
            ->type_name("DIR|FILE")
            ->group(group::io);
    declare_files(app);
    app.add_option("--pack-cache", pack_cache_,
                   "Keep large weights as the CPU reads them, adapters merged, in the user's cache; later runs start at once: auto "
                   "or off")
        ->check(CLI::IsMember({"auto", "off"}))
        ->capture_default_str()
        ->type_name("WHEN")
        ->group(group::io);
    declare_device(app);
    declare_lenient(app);
}

void ModelOptions::declare_device(CLI::App& app) {
    const auto check = [](const std::string& text) {
        return is_device_name(text) ? std::string() : fmt::format("\"{}\" is neither auto, cpu, cuda nor cuda:N", escape_control(text));
    };
    device_ = "auto";
    app.add_option("--device", device_, "Where networks compute: auto (a GPU where libtorch finds one, else the CPU), cpu, cuda or cuda:N")
        ->check(CLI::Validator(check, ""))
        ->capture_default_str()
        ->type_name("WHERE")
        ->group(group::generation);
}

void ModelOptions::declare_lenient(CLI::App& app) {
    app.add_flag("--lenient", files.lenient, "Take weight files with unknown keys or holes in their headers, with a warning")
        ->group(group::io);
}

void ModelOptions::declare_operand(CLI::App& app, const std::string& help) {
    app.add_option("-m,--model,MODEL", model, help)->type_name(model_type)->group(group::io);
    declare_files(app);
    declare_lenient(app);
}

void ModelOptions::declare_precision(CLI::App& app) {
    app.add_option("--precision", precision_,
                   "Type to compute in; auto is int8 for a quantized model on a CPU, else bf16 on a GPU and where the CPU multiplies "
                   "matrices of it; else the record's own, else int8 for a quantized model on a CPU, else f32")
        ->check(CLI::IsMember({"auto", "f32", "bf16", "int8"}))
        ->type_name("TYPE")
        ->group(group::generation);
}

bool ModelOptions::leaves_precision(const Record* record) const {
    return precision_ == "auto" || (precision_.empty() && (record == nullptr || record->find(key::precision) == nullptr));
}

at::Device ModelOptions::device_for(const Record* record) const {
    const bool bytes = precision_for(record, at::kCPU) == Precision::int8;  // which a GPU does not multiply
    return bytes && device_ == "auto" ? at::kCPU : device_named(device_);
}

Precision ModelOptions::precision_for(const Record* record, at::Device device) const {
    if (precision_ == "auto") return fastest_precision(device);
    if (!precision_.empty()) return precision_named(precision_).value();
    const auto* recorded = record == nullptr ? nullptr : record->find(key::precision);
    if (recorded == nullptr) return Precision::f32;
    if (const auto precision = precision_named(*recorded)) return *precision;
    throw Error(ExitCode::data, record->place,
                fmt::format("key \"{}\": {} is no precision of this build", key::precision, json_quote(*recorded)), "give --precision");
}

void ModelOptions::declare_files(CLI::App& app) {
    app.add_option("--model-config", files.config, "Folder whose configuration files and tokenizers count, in place of the model's own")
        ->type_name("DIR")
        ->group(group::io);
    app.add_option("--variant", files.variant, "Which weights of a model folder: those with this word in their names, such as fp16")
        ->type_name("WORD")
        ->group(group::io);
    app.add_option("--prediction-type", files.prediction_type, "What the UNet predicts: epsilon, v_prediction or sample; else by the model")
        ->check(CLI::IsMember({"epsilon", "v_prediction", "sample"}))
        ->type_name("TYPE")
        ->group(group::generation);
}

Bundle ModelOptions::open_path(const std::string& path, const std::string& name, const Record* record) const {
    info(fmt::format("model {} is {}", name, path));
    ModelFiles all = files;
    all.path = path;
    all.device = device_for(record);
    all.precision = precision_for(record, all.device);
    all.pack_cache = pack_cache_ == "auto";
    all.int8_if_quantized = leaves_precision(record);
    all.name = name;
    all.vocabulary = own_models_folder() + "/clip-bpe/merges.txt";
    for (const auto& [part, own] : parts_)
        if (!own.empty()) all.parts[part] = own;
    return Bundle::open(all);
}

Bundle ModelOptions::open_named(const std::string& name, const Record* record) const {
    std::error_code ignored;
    if (fs::exists(name, ignored)) return open_path(name, name, record);
    if (const auto folder = installed_folder(name); !folder.empty()) return open_path(folder, name, record);
    std::vector<std::string> names;
    for (const auto& one : installed_models()) names.push_back(one.name);
    const auto near = nearest(name, names);
    throw Error(ExitCode::no_input, escape_control(name), "no such model folder or file, and no installed model of that name",
                near.empty() ? fmt::format("installed models: {}", fmt::join(names, ", ")) : fmt::format("did you mean {}?", near));
}

Bundle ModelOptions::open() const { return open_named(model.empty() ? embedded_model : model); }

Bundle ModelOptions::open_for(const Record& record) const {
    const auto* hint = record.find(key::model);
    if (!model.empty() || hint == nullptr) return open_named(model.empty() ? embedded_model : model, &record);
    if (!installed_folder(*hint).empty()) return open_named(*hint, &record);
    device_for(&record);  // that there is no GPU is not the hint's fault
    try {
        auto bundle = open_path(*hint, *hint, &record);
        if (made_with(record, bundle)) return bundle;
    } catch (const Error&) {
        // A hint is the word of a stranger: whatever is wrong with it, the model is not there.
    }
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
