#include "lib/optimize/model_copy.h"

#include <algorithm>
#include <array>
#include <span>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/stop.h"
#include "lib/core/bundle/weight_files.h"

namespace lcm {

namespace fs = std::filesystem;

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
    while (const std::size_t count = source->read_full(piece)) {
        check_stop();
        sink->write(std::span(piece).first(count));
    }
    sink->finish();
}

void expect_apart(const std::string& model_dir, const std::string& out_dir) {
    const fs::path model = fs::weakly_canonical(model_dir) / "";
    const fs::path out = fs::weakly_canonical(out_dir) / "";
    const std::string a = model.string(), b = out.string();
    if (a.starts_with(b) || b.starts_with(a)) throw Error(ExitCode::usage, out_dir, "the output folder and the model lie in each other");
}

}  // namespace lcm
