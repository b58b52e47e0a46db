#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/tensor/noise.h"
#include "lib/sampling/schedule.h"
#include "lib/stream/record.h"

namespace lcm {

/// Reads settings from the metadata of one record. Every member throws Error(data) naming record and key where the key is absent or its
/// value makes no sense, with the `fix` that fits the record.
class SettingsReader {
public:
    SettingsReader(const Record& record, const char* fix) : record_(record), fix_(fix) {}

    bool has(std::string_view key) const { return record_.find(key) != nullptr; }
    std::uint64_t count(std::string_view key, std::uint64_t low, std::uint64_t high) const;
    double number(std::string_view key) const;
    /// A JSON array of numbers.
    std::vector<double> numbers(std::string_view key) const;
    /// The same of whole numbers.
    std::vector<std::int64_t> integers(std::string_view key) const;
    /// A number above 0 and at most 1.
    double share(std::string_view key) const;
    /// `lcm.rng` and `lcm.strength_rule`.
    Rng rng() const;
    Strength::Rule strength_rule() const;
    void expect(std::string_view key, std::string_view ours) const;

    [[noreturn]] void refuse(std::string_view key, const std::string& what) const;

private:
    const Record& record_;
    const char* fix_;
};

}  // namespace lcm
