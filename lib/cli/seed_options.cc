#include "lib/cli/seed_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <random>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace {

constexpr const char* seeds_group = "Seeds";

}  // namespace

void SeedOptions::declare(CLI::App& app) {
    app.add_option("-s,--seed", seed, "Seed of the first picture, 0 to 2^64-1, or random; else 0; picture k gets seed + k")
        ->type_name("N|random")
        ->group(seeds_group);
    app.add_option("-b,--batch,--batch-count", batch, "Pictures of each record, each with its own seed")
        ->check(CLI::Range(1, 1'000'000))
        ->type_name("N")
        ->capture_default_str()
        ->group(seeds_group);
}

std::uint64_t SeedOptions::first_seed() const {
    if (!seed) return 0;
    if (seed == "random") {
        const std::uint64_t drawn = std::random_device{}();
        warn(fmt::format("seed {}", drawn));
        return drawn;
    }
    if (const auto value = parse_u64(*seed)) return *value;
    throw Error(ExitCode::usage, "--seed", fmt::format("\"{}\" is no seed", escape_control(*seed)),
                "give a number from 0 to 2^64-1, or random");
}

void SeedOptions::expect_fits(const Record& record, std::uint64_t wanted) const {
    const auto* own = record.find(key::step) != nullptr ? record.find(key::seed) : nullptr;
    if (own == nullptr) return;
    if (seed && *own != std::to_string(wanted))
        throw Error(ExitCode::usage, "--seed", fmt::format("asks for {}, but {} was begun with seed {}", wanted, record.place, *own),
                    "leave it out");
    if (batch > 1)
        throw Error(ExitCode::usage, "--batch", fmt::format("asks for copies, but {} is begun with one seed", record.place),
                    "leave it out");
}

}  // namespace lcm::cli
