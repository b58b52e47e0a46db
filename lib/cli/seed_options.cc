#include "lib/cli/seed_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <random>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

namespace lcm::cli {
namespace {

constexpr const char* seeds_group = "Seeds";

}  // namespace

void SeedOptions::declare(CLI::App& app) {
    app.add_option("-s,--seed", seed, "Seed of the first picture, 0 to 2^64-1, or random; picture k gets seed + k")
        ->type_name("N|random")
        ->capture_default_str()
        ->group(seeds_group);
    app.add_option("-b,--batch,--batch-count", batch, "Pictures of each record, each with its own seed")
        ->check(CLI::Range(1, 1'000'000))
        ->type_name("N")
        ->capture_default_str()
        ->group(seeds_group);
}

std::uint64_t SeedOptions::first_seed() const {
    if (seed == "random") {
        const std::uint64_t drawn = std::random_device{}();
        warn(fmt::format("seed {}", drawn));
        return drawn;
    }
    if (const auto value = parse_u64(seed)) return *value;
    throw Error(ExitCode::usage, "--seed", fmt::format("\"{}\" is no seed", escape_control(seed)),
                "give a number from 0 to 2^64-1, or random");
}

}  // namespace lcm::cli
