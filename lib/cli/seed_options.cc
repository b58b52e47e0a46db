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
    app.add_option("-b,--batch", batch, "Pictures of each record, each with its own seed")
        ->check(CLI::Range(1, 1'000'000))
        ->type_name("N")
        ->capture_default_str()
        ->group(seeds_group);
    app.add_flag("--one-generator", one_generator, "Draw a batch as one call of another program does: one seed, each draw for all pictures")
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

std::uint64_t SeedOptions::seed_of(const Record& record, std::uint64_t number, std::uint64_t first) const {
    const auto wanted = first + number * static_cast<std::uint64_t>(batch);
    const auto* text = record.find(key::seed);
    if (text == nullptr) return wanted;
    const auto own = parse_u64(*text);
    if (!own) throw Error(ExitCode::data, record.place, fmt::format("key \"{}\" is no seed", key::seed), "make the record again");
    if (seed && *own != wanted)
        throw Error(ExitCode::usage, "--seed", fmt::format("asks for {}, but {} has seed {}", wanted, record.place, *own), "leave it out");
    if (batch > 1 && record.find(key::step) != nullptr)
        throw Error(ExitCode::usage, "--batch", fmt::format("asks for copies, but {} is begun with one seed", record.place),
                    "leave it out");
    return *own;
}

}  // namespace lcm::cli
