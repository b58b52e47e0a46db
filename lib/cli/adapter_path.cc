#include "lib/cli/adapter_path.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/cli/model_options.h"
#include "lib/core/adapter/adapter_file.h"
#include "lib/core/adapter/delta_format.h"
#include "lib/core/bundle/part_hash.h"

namespace lcm::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view ending = ".safetensors";

/// The adapter called `name` in one folder, or empty.
std::string adapter_in(const std::string& folder, const std::string& name) {
    std::error_code ignored;
    const std::string path = folder + "/" + name, file = path + std::string(ending), peft = path + "/adapter_model.safetensors";
    if (fs::is_regular_file(file, ignored)) return file;
    if (fs::is_regular_file(peft, ignored)) return peft;
    return name.ends_with(ending) && fs::is_regular_file(path, ignored) ? path : "";
}

/// The name of what lies in a folder of the search path, when it is an adapter; else empty.
std::string name_of(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return fs::exists(path / "adapter_model.safetensors", ignored) ? path.filename().string() : "";
    if (path.extension() != ending || !fs::is_regular_file(path, ignored)) return "";
    try {
        const WeightFile file(path.string());
        const bool any = std::ranges::any_of(file.tensors(), [](const auto& tensor) { return leaf_of(tensor.first) != nullptr; });
        return any ? path.stem().string() : "";
    } catch (const Error&) {
        return "";  // a broken file is none that can be named
    }
}

/// What to do about a name that no adapter has.
std::string fix_for_unknown(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& adapter : installed_adapters()) names.push_back(adapter.name);
    if (const auto near = nearest(name, names); !near.empty()) return fmt::format("did you mean {}?", near);
    if (names.empty()) return "name a safetensors file, or put it into a folder of LCM_MODEL_PATH";
    return fmt::format("installed adapters: {}", fmt::join(names, ", "));
}

bool is_recorded(const std::string& file, const AdapterEntry& entry) {
    try {
        return adapter_sha256(file) == entry.sha256;
    } catch (const Error&) {
        return false;  // a hint is the word of a stranger: whatever is wrong with it, the adapter is not there
    }
}

}  // namespace

std::vector<InstalledAdapter> installed_adapters() {
    std::vector<InstalledAdapter> adapters;
    std::error_code ignored;
    for (const auto& folder : model_path())
        for (const auto& entry : fs::directory_iterator(folder, ignored)) {
            const auto name = name_of(entry.path());
            if (name.empty() || std::ranges::find(adapters, name, &InstalledAdapter::name) != adapters.end()) continue;
            adapters.push_back({name, adapter_weights(entry.path().string())});
        }
    std::ranges::sort(adapters, {}, &InstalledAdapter::name);
    return adapters;
}

std::string installed_adapter(const std::string& name) {
    if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..") return {};
    for (const auto& folder : model_path())
        if (auto file = adapter_in(folder, name); !file.empty()) return file;
    return {};
}

std::string find_adapter(const std::string& name) {
    std::error_code ignored;
    if (fs::exists(name, ignored)) return adapter_weights(name);
    if (auto file = installed_adapter(name); !file.empty()) return file;
    throw Error(ExitCode::no_input, escape_control(name), "no such adapter file, and no installed adapter of that name",
                fix_for_unknown(name));
}

std::string find_installed_adapter(const std::string& name, const std::string& place) {
    if (auto file = installed_adapter(name); !file.empty()) return file;
    throw Error(ExitCode::data, place,
                fmt::format("asks for the adapter \"{}\", and none of that name is installed", escape_control(name)),
                fix_for_unknown(name));
}

std::string adapter_sha256(const std::string& file) {
    std::error_code ignored;
    const auto files = adapter_files(file);
    for (const auto& path : files)
        if (!fs::is_regular_file(path, ignored)) throw Error(ExitCode::no_input, path, "is no regular file", "name a safetensors file");
    return hash_files(files);
}

std::string locate_adapter(const AdapterEntry& entry, const std::vector<std::string>& given, const std::string& place) {
    auto candidates = given;
    const fs::path hint(entry.file);
    for (const auto& name : {entry.id, hint.stem().string(), hint.parent_path().filename().string()})
        if (auto file = installed_adapter(name); !file.empty()) candidates.push_back(std::move(file));
    if (!entry.file.empty()) candidates.push_back(entry.file);
    for (const auto& file : candidates)
        if (is_recorded(file, entry)) return file;
    constexpr std::size_t shown = 12;
    throw Error(ExitCode::data, place,
                fmt::format("needs the adapter \"{}\" with SHA-256 {}..., which is not found here", escape_control(entry.id),
                            entry.sha256.substr(0, shown)),
                "put its file into a folder of LCM_MODEL_PATH");
}

}  // namespace lcm::cli
