#pragma once

#include <cstdlib>
#include <filesystem>
#include <iterator>

#include "tests/unit/temporary_folder.h"

/// A user's cache of its own for one test case.
class TemporaryCache {
public:
    TemporaryCache() { ::setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
    TemporaryCache(const TemporaryCache&) = delete;
    TemporaryCache& operator=(const TemporaryCache&) = delete;
    ~TemporaryCache() { ::unsetenv("XDG_CACHE_HOME"); }

    /// What lies in it under `name`.
    std::string operator/(std::string_view name) const { return folder_ / name; }

    /// How many files lie in the folder `name`.
    std::ptrdiff_t count(std::string_view name) const {
        const std::filesystem::path folder = *this / name;
        return std::filesystem::exists(folder) ? std::distance(std::filesystem::directory_iterator(folder), {}) : 0;
    }

private:
    TemporaryFolder folder_;
};
