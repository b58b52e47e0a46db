#include "lib/core/bundle/part_hash.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "lib/base/bytes.h"
#include "lib/base/cache_counts.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/sha256.h"
#include "lib/base/stop.h"
#include "lib/core/bundle/cache_folder.h"

namespace lcm {

namespace {

constexpr std::size_t digits = 64;
constexpr std::size_t piece_bytes = std::size_t{4} << 20;

/// What the files are, as long as nobody changes them.
std::string identity(const std::vector<std::string>& paths) {
    std::string text;
    for (const std::string& path : paths) {
        struct stat status;
        if (::stat(path.c_str(), &status) != 0) throw_errno(ExitCode::no_input, path, "cannot open");
        const struct timespec& changed = status.st_mtim;
        text += fmt::format("{} {} {} {}.{:09}\n", status.st_dev, status.st_ino, status.st_size, changed.tv_sec, changed.tv_nsec);
    }
    return text;
}

std::string hash_contents(const std::vector<std::string>& paths) {
    Sha256 hash;
    Bytes piece(piece_bytes);
    for (const std::string& path : paths) {
        const auto source = source_from_file(path);
        while (const std::size_t count = source->read_full(piece)) {
            check_stop();
            hash.update(std::span(piece).first(count));
        }
    }
    return hash.hex();
}

std::optional<std::string> recall(const std::string& path) {
    try {
        const std::string text = read_text_file(path, digits);
        const bool whole = text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
        return whole ? std::optional(text) : std::nullopt;
    } catch (const Error&) {
        return std::nullopt;
    }
}

void remember(const std::string& folder, const std::string& path, const std::string& hash) {
    try {
        std::error_code ignored;
        std::filesystem::create_directories(folder, ignored);
        const auto sink = sink_to_file(path);
        sink->write(as_bytes(hash));
        sink->finish();
    } catch (const Error&) {
        // The cache only saves time.
    }
}

}  // namespace

std::string hash_files(const std::vector<std::string>& paths) {
    const std::string folder = cache_folder("sha256");
    if (folder.empty()) return hash_contents(paths);
    const std::string before = identity(paths);
    const std::string place = folder + "/" + sha256_hex(as_bytes(before));
    if (const auto known = recall(place)) {
        count_cache_hit();
        return *known;
    }
    count_cache_miss();
    const std::string hash = hash_contents(paths);
    if (identity(paths) == before) remember(folder, place, hash);
    return hash;
}

}  // namespace lcm
