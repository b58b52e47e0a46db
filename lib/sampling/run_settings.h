#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/core/bundle/bundle.h"
#include "lib/sampling/denoiser.h"
#include "lib/sampling/scheduler_config.h"
#include "lib/stream/record.h"

namespace lcm {

/// What a model offers a picture before any flag is read.
struct ModelSettings {
    SchedulerConfig scheduler;
    Defaults defaults;
    LatentFormat latent;
};

/// What fixes a picture before its first step: settled once, written to the record, read back at resume.
struct RunSettings {
    std::string sampler;
    SchedulerConfig schedule;
    int steps = 0;
    double guidance = 1;
    std::uint64_t seed = 0;
    std::int64_t width = 0, height = 0;  ///< pixels

    /// Settings of a new picture: the request, else the record (`lcm.size`, `noise`), else the model.
    /// @throws Error(usage) for a request out of range or against the record, Error(data) for such a record, Error(refused) for a picture
    ///         above 16,384 pixels a side or 64 megapixels
    static RunSettings start(const Record& record, const DenoiseRequest& request, const ModelSettings& model);

    /// Settings of a picture that was started before; `request` may only repeat them.
    /// @throws Error(data) for values that are missing or make no sense, Error(usage) when the request contradicts them
    static RunSettings resume(const Record& record, const DenoiseRequest& request, const ModelSettings& model);

    /// Writes the settings with the `timesteps` that follow from them.
    void write(Record& record, const std::vector<std::int64_t>& timesteps) const;

    /// Shape of the latent, [C,h,w].
    std::vector<std::int64_t> latent_shape(const LatentFormat& format) const;
};

/// The timesteps as a JSON array (`lcm.timesteps`).
std::string format_timesteps(const std::vector<std::int64_t>& timesteps);

}  // namespace lcm
