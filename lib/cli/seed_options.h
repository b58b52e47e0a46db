#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/stream/record.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// `-s/--seed` and `-b/--batch`: picture k of a run gets seed + k, counted over all records and their repeats.
struct SeedOptions {
    std::optional<std::string> seed;  ///< absent: 0
    int batch = 1;

    void declare(CLI::App& app);

    /// The seed of the first picture; "random" draws one and prints it. @throws Error(usage)
    std::uint64_t first_seed() const;

    /// A record that was stopped half-way keeps its own seed. @throws Error(usage) when the flags ask for `wanted` instead, or for copies
    void expect_fits(const Record& record, std::uint64_t wanted) const;
};

}  // namespace lcm::cli
