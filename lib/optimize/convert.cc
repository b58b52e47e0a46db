#include "lib/optimize/convert.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/stop.h"
#include "lib/core/bundle/bundle.h"
#include "lib/core/bundle/weight_files.h"
#include "lib/optimize/convert_config.h"
#include "lib/optimize/convert_weights.h"
#include "lib/optimize/model_copy.h"
#include "lib/optimize/output_folder.h"

namespace lcm {

namespace {

namespace fs = std::filesystem;

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
