#pragma once

#include <cstdint>
#include <vector>

#include "lib/core/tensor/noise.h"
#include "lib/sampling/run_settings.h"
#include "lib/sampling/sampler.h"
#include "lib/stream/record.h"

namespace lcm {

/// A run between two steps: all that a record must carry so that another process can go on (stream-format, section 7).
struct Trajectory {
    SamplerState state;  ///< tensors are [1,C,h,w]
    NoiseGenerator noise;

    /// The start of a picture: the record's `noise` where there is one, else the generator's first draw.
    /// @param shape  of the latent, [C,h,w]
    /// @throws Error(data) when the record's noise has another shape
    static Trajectory start(const Record& record, std::uint64_t seed, const std::vector<std::int64_t>& shape);

    /// The state that a record saved. `timesteps` are those that follow from its `lcm.schedule`.
    /// @throws Error(data) when something is missing, has another shape or contradicts the rest
    static Trajectory restore(const Record& record, const RunSettings& settings, const std::vector<std::int64_t>& timesteps,
                              const std::vector<std::int64_t>& shape);

    /// Writes the latent; before the last step also what `restore` needs, after it nothing else is left of the run.
    void save(Record& record, const std::vector<std::int64_t>& timesteps) const;
};

/// How far a record has come: `lcm.step` of `lcm.steps`.
struct Progress {
    int done = 0, steps = 0;
};

/// Progress of a record that was started. @throws Error(data) unless the two are numbers and done is at most steps
Progress progress_of(const Record& record);

}  // namespace lcm
