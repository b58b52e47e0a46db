#include "lib/optimize/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/stop.h"
#include "lib/core/bundle/bundle.h"
#include "lib/core/bundle/weight_files.h"
#include "lib/optimize/convert_weights.h"
#include "lib/optimize/output_folder.h"

namespace lcm {

namespace {

namespace fs = std::filesystem;

/// What comes along besides the weights: configuration, tokenizer, model card, licence. Names in sorted order.
std::vector<std::string> companions(const fs::path& folder) {
    static constexpr std::array<std::string_view, 4> endings{"", ".json", ".md", ".txt"};
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename();
        // An index belongs to shards and is written with them.
        const bool wanted = !name.starts_with('.') && !name.ends_with(weight_index_ending) &&
                            std::ranges::find(endings, entry.path().extension().string()) != endings.end();
        if (wanted && entry.is_regular_file()) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
}

/// Folders of the model's parts: those that hold a JSON file.
std::vector<std::string> part_folders(const fs::path& model) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(model)) {
        const std::string name = entry.path().filename();
        if (name.starts_with('.') || !entry.is_directory()) continue;
        const auto files = companions(entry.path());
        if (std::ranges::any_of(files, [](const std::string& file) { return file.ends_with(".json"); })) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
}

void write_file(const fs::path& path, std::string_view text) {
    const auto sink = sink_to_file(path);
    sink->write(as_bytes(text));
    sink->finish();
}

void copy_whole(const fs::path& from, const fs::path& to) {
    constexpr std::size_t piece_bytes = std::size_t{1} << 20;
    const auto source = source_from_file(from);
    const auto sink = sink_to_file(to);
    Bytes piece(piece_bytes);
    while (const std::size_t count = source->read_full(piece)) sink->write(std::span(piece).first(count));
    sink->finish();
}

/// Writes `json` with member `key` set to `value`.
void write_changed(const fs::path& path, const Json& json, const std::string& key, Json::Value value) {
    Json::Object members = json.as_object();
    members.insert_or_assign(key, Json(std::move(value), ""));
    write_file(path, to_json(Json(std::move(members), "")) + "\n");
}

/// Copies a part's `config.json`; transformers keep the type of the weights in it (`dtype`, `torch_dtype` before version 5).
void copy_config(const fs::path& from, const fs::path& to, Dtype target) {
    const Json config = read_json_file(from);
    const char* torch_name = target == Dtype::F16 ? "float16" : target == Dtype::BF16 ? "bfloat16" : "float32";
    for (const char* key : {"dtype", "torch_dtype"}) {
        const Json* recorded = config.find(key);
        if (recorded && recorded->is_string() && recorded->as_string() != torch_name) {
            return write_changed(to, config, key, std::string(torch_name));
        }
    }
    copy_whole(from, to);
}

/// Shards keep their names, and their index its list; only the total changes.
void write_index(const fs::path& from, const fs::path& to, std::uint64_t total_bytes) {
    for (const auto& entry : fs::directory_iterator(from)) {
        const std::string name = entry.path().filename();
        if (!name.ends_with(weight_index_ending)) continue;
        const Json index = read_json_file(entry.path());
        const Json::Object metadata{{"total_size", Json(static_cast<std::int64_t>(total_bytes), "")}};
        write_changed(to / name, index, "metadata", metadata);
    }
}

void convert_part_weights(const fs::path& from, const fs::path& to, Dtype target) {
    const auto files = find_weight_files(from);
    std::uint64_t total_bytes = 0;
    for (const std::string& file : files) {
        const std::string name = fs::path(file).filename();
        total_bytes += convert_weights(file, to / (files.size() == 1 ? usual_weight_name(name) : name), target);
    }
    if (files.size() > 1) write_index(from, to, total_bytes);
}

void convert_folder(const fs::path& from, const fs::path& to, Dtype target) {
    fs::create_directory(to);
    bool has_weights = false;
    for (const std::string& name : companions(from)) {
        check_stop();
        const bool is_config = name == "config.json";
        has_weights = has_weights || is_config;
        is_config ? copy_config(from / name, to / name, target) : copy_whole(from / name, to / name);
    }
    if (has_weights) convert_part_weights(from, to, target);
}

void convert_model(const fs::path& from, const fs::path& to, Dtype target) {
    for (const std::string& name : companions(from)) copy_whole(from / name, to / name);
    for (const std::string& part : part_folders(from)) convert_folder(from / part, to / part, target);
}

void expect_apart(const std::string& model_dir, const std::string& out_dir) {
    const fs::path model = fs::weakly_canonical(model_dir) / "";
    const fs::path out = fs::weakly_canonical(out_dir) / "";
    const std::string a = model.string(), b = out.string();
    if (a.starts_with(b) || b.starts_with(a)) throw Error(ExitCode::usage, out_dir, "the output folder and the model lie in each other");
}

}  // namespace

void convert(const std::string& model_dir, const std::string& out_dir, Dtype target, Existing existing) {
    if (!is_weight_type(target)) {
        throw Error(ExitCode::usage, "", fmt::format("models are not converted to {}", name(target)), "choose F32, F16 or BF16");
    }
    Bundle::open(model_dir);  // refuses what is no model
    try {
        expect_apart(model_dir, out_dir);
        OutputFolder output(out_dir, existing);
        convert_model(model_dir, output.temporary_path(), target);
        output.finish();
    } catch (const fs::filesystem_error& error) {
        throw Error(ExitCode::io, error.path1(), error.code().message());
    }
}

}  // namespace lcm
