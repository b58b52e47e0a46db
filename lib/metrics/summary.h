#pragma once

#include <cstdint>
#include <string>

#include "lib/base/error.h"

namespace lcm {

class Meter;

/// What `--stats` shows: `{"stats":{...}}` on one line with every counter, what was computed with ("compute") and, under "stages", each
/// stage that ran. Times in milliseconds; lcm-environment(7) describes every key.
std::string stats_json(const Meter& meter);

/// What `--metrics` writes: Prometheus text, every sample with the label `tool`. Times in seconds.
/// @param code  how the tool ends
/// @param time  when, in seconds since 1970
std::string prometheus_text(const Meter& meter, ExitCode code, std::int64_t time);

}  // namespace lcm
