#include "lib/core/adapter/adapter_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <tuple>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/core/adapter/delta_format.h"
#include "lib/core/adapter/peft_config.h"

namespace lcm {
namespace {

namespace fs = std::filesystem;

constexpr const char* peft_weights = "adapter_model.safetensors";
constexpr std::string_view output_magnitude_format = "LoRA, PEFT names";

/// The tensors of one parameter and how their common name is spelt in the file.
struct Found {
    ModuleRef module;
    ModuleParts parts;
};
using Groups = std::map<std::tuple<Network, std::string>, Found>;  // by network and parameter

Groups group(const WeightFile& file, const ModuleNames& names, std::vector<std::string>& unused) {
    Groups groups;
    for (const auto& [key, entry] : file.tensors()) {
        const Leaf* leaf = leaf_of(key);
        const ModuleRef* module = leaf ? names.find(std::string_view(key).substr(0, key.size() - leaf->ending.size())) : nullptr;
        if (!module) {
            unused.push_back(key);
            continue;
        }
        const std::string parameter = fmt::format("{}.{}", module->module, leaf->parameter);
        const auto place = groups.try_emplace({module->network, parameter}, Found{*module, ModuleParts(file, module->module)}).first;
        place->second.parts.add(*leaf, key);
    }
    return groups;
}

/// True when all tensors of a module belong to a format.
bool covers(const DeltaFormat& format, const ModuleParts& parts) {
    return std::ranges::all_of(parts.endings(), [&](const auto& ending) {
        return std::ranges::find(format.leaves, ending.first, &Leaf::ending) != format.leaves.end();
    });
}

const DeltaFormat& format_of(const ModuleParts& parts) {
    for (const DeltaFormat& format : delta_formats())
        if (covers(format, parts)) return format;
    std::vector<std::string_view> endings;
    for (const auto& [ending, key] : parts.endings()) endings.push_back(ending);
    throw Error(ExitCode::data, tensor_place(parts.file().path(), parts.any_key()),
                fmt::format("its module mixes formats: {}", fmt::join(endings, ", ")), "download or export the adapter again");
}

std::optional<Dora> dora_of(const ModuleParts& parts, const WeightDelta& delta) {
    const bool by_output = parts.has(part::output_magnitude);
    if (!by_output && !parts.has(part::magnitude)) return std::nullopt;
    const std::string_view part = by_output ? part::output_magnitude : part::magnitude;
    const at::Tensor magnitude = parts.take(part);
    const auto shape = delta.shape();
    if (shape.size() < 2) throw parts.fault(part, "a magnitude needs a matrix to change");
    const std::int64_t count = magnitude.numel(), rows = magnitude.dim() > 0 ? magnitude.size(0) : 0;
    if ((by_output || rows == count) && count == shape[0]) return Dora{magnitude, true};
    if (!by_output && magnitude.dim() >= 2 && rows == 1 && count == magnitude.size(1) && count == shape[1]) return Dora{magnitude, false};
    throw parts.fault(part, fmt::format("its shape is [{}], which is neither one number an output nor one an input of [{}]",
                                        fmt::join(magnitude.sizes(), ","), fmt::join(shape, ",")));
}

AdapterChange make_change(const std::string& parameter, Found& found, const PeftConfig& config) {
    ModuleParts& parts = found.parts;
    const DeltaFormat& format = format_of(parts);
    const bool peft = format.name == output_magnitude_format;
    if (peft)
        if (const auto alpha = config.alpha(found.module)) parts.set_alpha(*alpha, config.rank_stabilized(found.module.network));
    AdapterChange change;
    change.module = found.module;
    change.parameter = parameter;
    change.tensor = parts.any_key();
    change.format = format.name;
    change.delta = format.make(parts);
    change.alpha = parts.alpha();
    change.dora = dora_of(parts, *change.delta);
    change.dora_rule = peft ? DoraRule::peft : DoraRule::linear;
    return change;
}

/// The family whose adapters change a weight of this shape, where the width of the text tells it.
std::string family_of(const AdapterChange& change) {
    const auto shape = change.delta->shape();
    const std::string& module = change.module.module;
    if (shape.size() < 2 || !(module.ends_with("attn2.to_k") || module.ends_with("attn2.to_v"))) return "";
    switch (shape[1]) {
        case 768:
            return "sd15";
        case 1024:
            return "sd2";
        case 2048:
            return "sdxl";
        default:
            return "";
    }
}

[[noreturn]] void refuse_shape(const AdapterFile& file, const AdapterChange& change, at::IntArrayRef wanted) {
    const std::string family = family_of(change);
    throw Error(ExitCode::data, tensor_place(file.path, change.tensor),
                fmt::format("changes a weight of shape [{}], but {} of the model's {} is [{}]", fmt::join(change.delta->shape(), ","),
                            change.parameter, name(change.module.network), fmt::join(wanted, ",")),
                family.empty() ? "use the adapter with the model family that it was made for"
                               : fmt::format("use a model of the family {}, which the adapter was made for", family));
}

}  // namespace

std::string adapter_weights(const std::string& path) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) return path;
    const std::string file = path + "/" + peft_weights;
    if (fs::exists(file, ignored)) return file;
    const std::string pickle = path + "/adapter_model.bin";
    if (fs::exists(pickle, ignored))
        throw Error(ExitCode::refused, pickle, "is a Python pickle, which can run code when it is read",
                    "load it with peft and save it with safe_serialization=True");
    throw Error(ExitCode::no_input, path, fmt::format("is no adapter folder: it has no {}", peft_weights),
                "name a safetensors file or a folder that PEFT wrote");
}

std::vector<std::string> adapter_files(const std::string& path) {
    std::vector<std::string> files{adapter_weights(path)};
    const fs::path weights(files.front()), config = weights.parent_path() / "adapter_config.json";
    std::error_code ignored;
    if (weights.filename() == peft_weights && fs::exists(config, ignored)) files.push_back(config.string());
    return files;
}

AdapterFile open_adapter_file(const std::string& path, const ModuleNames& names) {
    AdapterFile adapter;
    adapter.path = adapter_weights(path);
    const WeightFile file(adapter.path);
    const PeftConfig config = PeftConfig::of(file);
    for (auto& [key, found] : group(file, names, adapter.unused))
        adapter.changes.push_back(make_change(std::get<std::string>(key), found, config));
    return adapter;
}

void expect_made_for(const AdapterFile& file, const ModelParameters& parameters, bool allow_unused) {
    for (const AdapterChange& change : file.changes) {
        const ParameterShapes& shapes = parameters.at(change.module.network);
        const auto wanted = shapes.find(change.parameter);
        if (wanted == shapes.end())
            throw Error(ExitCode::data, tensor_place(file.path, change.tensor),
                        fmt::format("changes {}, which the model's {} does not have", change.parameter, name(change.module.network)),
                        "use the adapter with the model family that it was made for");
        if (!fits(change.delta->shape(), wanted->second)) refuse_shape(file, change, wanted->second);
    }
    if (file.unused.empty() && !file.changes.empty()) return;
    constexpr std::size_t shown = 3;
    const std::size_t count = file.unused.size();
    const std::vector<std::string> first(file.unused.begin(), file.unused.begin() + static_cast<std::ptrdiff_t>(std::min(shown, count)));
    const std::string more = count > shown ? fmt::format(" and {} more", count - shown) : "";
    const std::string fault =
        fmt::format("{} of its tensors {} not used by the model: {}{}", count, count == 1 ? "is" : "are", fmt::join(first, ", "), more);
    if (file.changes.empty())
        throw Error(ExitCode::data, file.path, count == 0 ? "holds no tensors" : "is no adapter for this model: " + fault,
                    "use the adapter with the model family that it was made for");
    if (!allow_unused) throw Error(ExitCode::data, file.path, fault, "use another model, or go on with --allow-unused");
    warn(fmt::format("{}: {}", file.path, fault));
}

}  // namespace lcm
