#include "lib/sampling/sampler.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "lib/base/error.h"
#include "lib/sampling/lcm_sampler.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

struct Kind {
    std::string_view name;
    std::unique_ptr<Sampler> (*make)(const SchedulerConfig& config, int steps);
};

// Every sampler, one line each.
constexpr std::array kinds{
    Kind{LcmSampler::name, LcmSampler::make},
};

}  // namespace

std::unique_ptr<Sampler> make_sampler(std::string_view name, const SchedulerConfig& config, int steps) {
    for (const Kind& kind : kinds)
        if (kind.name == name) return kind.make(config, steps);
    throw Error(ExitCode::data, std::string(key::sampler), fmt::format("there is no sampler \"{}\"", name));
}

}  // namespace lcm
