#include "lib/core/bundle/weight_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/json.h"

namespace lcm {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view suffix = ".safetensors";
constexpr std::array<std::string_view, 2> usual_stems{"diffusion_pytorch_model", "model"};

bool exists(const std::string& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

/// The name of a file, with the variant where the libraries put it.
std::string weight_name(std::string_view stem, std::string_view variant, std::string_view ending) {
    return fmt::format("{}{}{}{}", stem, variant.empty() ? "" : ".", variant, ending);
}

/// The index of a part that has one and no whole file; empty without.
std::string find_index(const std::string& folder, const std::string& variant) {
    for (const std::string_view stem : usual_stems) {
        const std::string path = fmt::format("{}/{}", folder, weight_name(stem, variant, weight_index_ending));
        if (exists(path)) return path;
        // Earlier releases put the variant at the end.
        const std::string old = fmt::format("{}/{}.safetensors.index.{}.json", folder, stem, variant);
        if (!variant.empty() && exists(old)) return old;
    }
    return {};
}

std::string find_whole_file(const std::string& folder, const std::string& variant) {
    for (const std::string_view stem : usual_stems) {
        const std::string path = fmt::format("{}/{}", folder, weight_name(stem, variant, suffix));
        if (exists(path)) return path;
    }
    return {};
}

/// The files an index names for its tensors. A name is data: it must not lead out of the folder.
std::vector<std::string> shards(const std::string& folder, const std::string& index_path) {
    std::set<std::string> paths;
    const Json index = read_json_file(index_path);
    for (const auto& [tensor, file] : index.at("weight_map").as_object()) {
        const std::string& name = file.as_string();
        if (name.find('/') != std::string::npos || !name.ends_with(suffix))
            throw Error(ExitCode::data, file.place(), fmt::format("\"{}\" is no safetensors file of this folder", name));
        paths.insert(folder + "/" + name);
    }
    if (paths.empty()) throw Error(ExitCode::data, index_path, "the index names no weight file");
    return {paths.begin(), paths.end()};
}

/// Names in `folder` that end in one of `endings`, sorted.
template <std::size_t Count>
std::vector<std::string> names_ending_in(const std::string& folder, const std::array<std::string_view, Count>& endings) {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        const std::string name = entry.path().filename();
        if (std::ranges::any_of(endings, [&](std::string_view ending) { return name.ends_with(ending); })) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
}

[[noreturn]] void throw_no_weights(const std::string& folder) {
    const auto pickles = names_ending_in(folder, std::array<std::string_view, 5>{".bin", ".ckpt", ".pt", ".pth", ".pkl"});
    if (pickles.empty()) throw Error(ExitCode::no_input, folder, "there are no weights (*.safetensors) in this folder");
    throw Error(ExitCode::refused, folder + "/" + pickles.front(), "a pickle can run code when it is loaded and is never opened",
                "convert it once with Python's diffusers or transformers: save_pretrained(DIR, safe_serialization=True)");
}

}  // namespace

std::vector<std::string> find_weight_files(const std::string& folder, const std::string& variant) {
    if (const std::string whole = find_whole_file(folder, variant); !whole.empty()) return {whole};
    if (const std::string index = find_index(folder, variant); !index.empty()) return shards(folder, index);
    if (!variant.empty()) {
        throw Error(ExitCode::no_input, folder, fmt::format("there are no weights of variant \"{}\" in this folder", variant),
                    fmt::format("leave out --variant, or add {}", weight_name(usual_stems[0], variant, suffix)));
    }
    const auto others = names_ending_in(folder, std::array{suffix});
    if (others.empty()) throw_no_weights(folder);
    if (others.size() > 1) {
        throw Error(ExitCode::data, folder, fmt::format("it is not clear which holds the weights: {} or {}", others[0], others[1]),
                    fmt::format("name it {}{} or {}{}, or choose with --variant", usual_stems[0], suffix, usual_stems[1], suffix));
    }
    return {folder + "/" + others.front()};
}

void expect_index_agrees(const std::string& folder, const std::string& variant, const std::vector<WeightFile>& files) {
    if (!find_whole_file(folder, variant).empty()) return;
    const std::string index_path = find_index(folder, variant);
    if (index_path.empty()) return;
    const Json index = read_json_file(index_path);
    const Json::Object& listed = index.at("weight_map").as_object();
    for (const WeightFile& file : files) {
        const std::string name = fs::path(file.path()).filename();
        for (const auto& [tensor, place] : listed)
            if (place.as_string() == name && !file.has(tensor))
                throw Error(ExitCode::data, tensor_place(file.path(), tensor),
                            fmt::format("the tensor is missing, {} says it is here", index_path), "download the shard again");
        for (const auto& [tensor, entry] : file.tensors()) {
            const auto found = listed.find(tensor);
            if (found == listed.end() || found->second.as_string() != name)
                throw Error(ExitCode::data, tensor_place(file.path(), tensor),
                            fmt::format("{} does not place this tensor here", index_path), "download the shard and the index again");
        }
    }
}

std::string usual_weight_name(const std::string& name) {
    for (const std::string_view stem : usual_stems)
        if (name.starts_with(fmt::format("{}.", stem))) return fmt::format("{}{}", stem, suffix);
    return name;
}

}  // namespace lcm
