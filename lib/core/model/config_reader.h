#pragma once

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.h"

namespace lcm {

/// Reads a network's configuration and remembers which keys were asked for, so that nothing in it is ignored in silence.
/// Every fault is Error(data) that names file and key.
class ConfigReader {
public:
    /// @param json  an object that outlives the reader
    explicit ConfigReader(const Json& json);

    /// The value, or nullptr when absent or null.
    const Json* find(std::string_view key);

    /// A whole number of at least 1, or `fallback` when absent.
    std::int64_t positive(std::string_view key, std::int64_t fallback);
    double number(std::string_view key, double fallback);
    bool flag(std::string_view key, bool fallback);

    /// A list of whole numbers of at least 1, never empty.
    std::vector<std::int64_t> positive_list(std::string_view key);
    /// `count` whole numbers of at least 1: a list of that length, or one number for all; `fallback` when absent.
    std::vector<std::int64_t> per_block(std::string_view key, std::size_t count, std::int64_t fallback);
    /// A list of `count` strings, each one of `allowed`.
    std::vector<std::string> names(std::string_view key, std::size_t count, std::initializer_list<std::string_view> allowed);

    /// Refuses any value but `json_text` (`"silu"` with its quotes, `false`, `1`); absent and null pass.
    void only(std::string_view key, std::string_view json_text);
    /// Keys that may hold anything because they do not change what the network computes.
    void ignore(std::initializer_list<std::string_view> keys);

    /// Refuses keys that nobody asked for, unless they begin with an underscore.
    void finish() const;

    /// An error about `key`: "<file>: key "x": <what>".
    [[noreturn]] void refuse(std::string_view key, const std::string& what) const;

private:
    const Json& json_;
    std::set<std::string, std::less<>> read_;
};

}  // namespace lcm
