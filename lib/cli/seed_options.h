#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace lcm::cli {

/// `-s/--seed` and `-b/--batch`: picture k of a run gets seed + k, counted over all records and their repeats.
struct SeedOptions {
    std::string seed = "0";
    int batch = 1;

    void declare(CLI::App& app);

    /// The seed of the first picture; "random" draws one and prints it. @throws Error(usage)
    std::uint64_t first_seed() const;
};

}  // namespace lcm::cli
