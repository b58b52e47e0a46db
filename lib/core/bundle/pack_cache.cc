#include "lib/core/bundle/pack_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/cache_counts.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/sha256.h"
#include "lib/core/bundle/cache_folder.h"
#include "lib/core/tensor/instruction_set.h"

namespace lcm {

namespace fs = std::filesystem;

namespace {

constexpr int layers_version = 5;  // grows when layers pack other things under the same names

struct Kept {
    fs::path path;
    fs::file_time_type used;
    std::uint64_t bytes;
};

/// One that a run is writing, or has left there when it was killed.
bool is_unfinished(const fs::path& path) { return path.filename().native().starts_with('.'); }

constexpr auto longest_writing = std::chrono::hours{24};

/// Removes what killed runs have left, and the files that were used last the longest time ago until `needed` bytes fit below the limit.
void make_room(const fs::path& folder, std::uint64_t needed) {
    std::vector<Kept> files;
    std::uint64_t total = needed;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
        if (!entry.is_regular_file(ignored)) continue;
        if (is_unfinished(entry.path())) {
            if (fs::file_time_type::clock::now() - entry.last_write_time(ignored) > longest_writing) fs::remove(entry.path(), ignored);
            continue;
        }
        files.push_back({entry.path(), entry.last_write_time(ignored), entry.file_size(ignored)});
        total += files.back().bytes;
    }
    std::ranges::sort(files, {}, &Kept::used);
    for (const Kept& file : files) {
        if (total <= most_packed_bytes) return;
        fs::remove(file.path, ignored);
        total -= file.bytes;
    }
}

/// Of all numbers of the files: what they take packed, more or less.
std::uint64_t packed_bytes(const std::vector<WeightFile>& files, at::ScalarType type) {
    std::uint64_t numbers = 0;
    for (const WeightFile& file : files)
        for (const auto& [name, entry] : file.tensors()) numbers += byte_size(Dtype::U8, entry.shape).value_or(0);
    return numbers * c10::elementSize(type);
}

}  // namespace

std::unique_ptr<PackStore> open_pack_cache(const std::string& key, std::uint64_t bytes) {
    const std::string folder = cache_folder("packed");
    if (folder.empty() || bytes < least_packed_bytes || bytes > most_packed_bytes) return nullptr;
    const std::string whole = fmt::format("{}\n{}\n{}", key, name(instruction_set()), layers_version);
    const std::string path = fmt::format("{}/{}.safetensors", folder, sha256_hex(as_bytes(whole)));
    auto store = std::make_unique<PackStore>(path, whole);
    std::error_code error;
    if (store->is_there()) {
        count_cache_hit();
        fs::last_write_time(path, fs::file_time_type::clock::now(), error);
        return store;
    }
    count_cache_miss();
    fs::create_directories(folder, error);
    const fs::space_info space = fs::space(folder, error);
    if (error || space.available / 4 < bytes) return nullptr;
    make_room(folder, bytes);
    info(fmt::format("weights are put into the order of this CPU's kernels, once: {}", path));
    return store;
}

std::unique_ptr<PackStore> open_pack_cache(const std::vector<WeightFile>& files, at::ScalarType type,
                                           const std::function<std::string()>& key) {
    const std::uint64_t bytes = packed_bytes(files, type);
    return bytes < least_packed_bytes ? nullptr : open_pack_cache(key(), bytes);
}

void keep_pack_cache(PackStore& store) {
    try {
        store.keep();
    } catch (const Error& error) {
        debug(fmt::format("packed weights are not kept: {}", error.what()));
    }
}

}  // namespace lcm
