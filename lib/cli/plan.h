#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/bundle/bundle.h"

namespace lcm::cli {

/// What a tool would do (`--dry-run`).
struct Plan {
    std::string tool, model, output;
    std::uint64_t records = 0;         ///< pictures or encodings to make
    std::vector<std::string> details;  ///< one line each: "4 steps of 512x512, guidance 8, seeds from 7"
    double operations = 0;             ///< floating-point operations of all records together
    std::uint64_t memory = 0;          ///< bytes at the peak, libtorch's own included
};

/// Memory of a process with libtorch loaded and nothing done.
inline constexpr std::uint64_t resting_memory = std::uint64_t{200} << 20;

/// Prints a plan to stdout, for people or as one JSON object
/// {"details","memory_bytes","model","output","records","seconds","tool"}. Seconds come from the operations and a short measurement of this
/// machine.
void print_plan(const Plan& plan, bool json);

/// Floating-point operations a second that this machine reaches now on a matrix product, measured for about 50 ms.
double measured_speed();

}  // namespace lcm::cli
