#include "lib/optimize/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/base/stop.h"
#include "lib/core/bundle/bundle.h"
#include "lib/core/bundle/weight_files.h"
#include "lib/optimize/convert_config.h"
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

constexpr const char* config_name = "config.json";
constexpr std::uint64_t config_limit = std::uint64_t{64} << 20;

/// Shards keep their names, and their index its list; only the total changes.
void write_index(const fs::path& from, const fs::path& to, std::uint64_t total_bytes) {
    for (const auto& entry : fs::directory_iterator(from)) {
        const std::string name = entry.path().filename();
        if (!name.ends_with(weight_index_ending)) continue;
        write_file(to / name, with_total_size(read_text_file(entry.path(), config_limit), total_bytes));
    }
}

/// How weights are read and written.
struct WeightRule {
    Dtype target;
    bool lenient;
};

void convert_part_weights(const fs::path& from, const fs::path& to, const WeightRule& rule) {
    const auto files = find_weight_files(from);
    std::uint64_t total_bytes = 0;
    for (const std::string& file : files) {
        const std::string name = fs::path(file).filename();
        total_bytes += convert_weights(file, to / (files.size() == 1 ? usual_weight_name(name) : name), rule.target, rule.lenient);
    }
    if (files.size() > 1) write_index(from, to, total_bytes);
}

void convert_folder(const fs::path& from, const fs::path& to, const WeightRule& rule) {
    fs::create_directory(to);
    for (const std::string& name : companions(from)) {
        check_stop();
        if (name != config_name) copy_whole(from / name, to / name);
    }
    if (!fs::exists(from / config_name)) return;  // a tokenizer or a scheduler has no weights
    write_file(to / config_name, with_dtype(read_text_file(from / config_name, config_limit), rule.target));
    convert_part_weights(from, to, rule);
}

void convert_model(const fs::path& from, const fs::path& to, const WeightRule& rule) {
    for (const std::string& name : companions(from)) copy_whole(from / name, to / name);
    for (const std::string& part : part_folders(from)) convert_folder(from / part, to / part, rule);
}

void expect_apart(const std::string& model_dir, const std::string& out_dir) {
    const fs::path model = fs::weakly_canonical(model_dir) / "";
    const fs::path out = fs::weakly_canonical(out_dir) / "";
    const std::string a = model.string(), b = out.string();
    if (a.starts_with(b) || b.starts_with(a)) throw Error(ExitCode::usage, out_dir, "the output folder and the model lie in each other");
}

}  // namespace

void convert(const std::string& model_dir, const std::string& out_dir, Dtype target, Existing existing, bool lenient) {
    if (!is_weight_type(target))
        throw Error(ExitCode::usage, "", fmt::format("models are not converted to {}", name(target)), "choose F32, F16 or BF16");
    if (Bundle::open(model_dir, {}, lenient).is_file())
        throw Error(ExitCode::usage, model_dir, "is a checkpoint in one file; only folders are converted",
                    "use a model folder in the layout of diffusers");
    try {
        expect_apart(model_dir, out_dir);
        OutputFolder output(out_dir, existing);
        convert_model(model_dir, output.temporary_path(), {target, lenient});
        output.finish();
    } catch (const fs::filesystem_error& error) {
        throw Error(ExitCode::io, error.path1(), error.code().message());
    }
}

}  // namespace lcm
