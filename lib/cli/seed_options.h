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
    bool one_generator = false;  ///< the pictures of a batch share the first one's seed, each draw made for all of them

    void declare(CLI::App& app);

    /// The seed of the first picture; "random" draws one and prints it. @throws Error(usage)
    std::uint64_t first_seed() const;

    /// The seed of the first picture of record `number`: its own (a request's, or that of a picture begun), else `first` + number * batch.
    /// @throws Error(usage) when the flags ask for another one, or for copies of a picture begun; Error(data) when its own is no seed
    std::uint64_t seed_of(const Record& record, std::uint64_t number, std::uint64_t first) const;
};

}  // namespace lcm::cli
