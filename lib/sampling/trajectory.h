#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/core/tensor/noise.h"
#include "lib/sampling/inpaint_input.h"
#include "lib/sampling/run_settings.h"
#include "lib/sampling/sampler.h"
#include "lib/sampling/start_image.h"
#include "lib/stream/record.h"

namespace lcm {

/// A run between two steps: all that a record must carry so that another process can go on (stream-format, section 7).
struct Trajectory {
    SamplerState state;  ///< tensors are [1,C,h,w]
    NoiseGenerator noise;
    std::optional<StartImage> image;      ///< that later steps need, because it is masked
    at::Tensor start_noise;               ///< with `image`: [1,C,h,w], before the sampler's factor
    std::optional<InpaintInput> inpaint;  ///< of an inpainting UNet, which needs no `image`
    at::Tensor deep;                      ///< that later steps use again (`UNetOutputs::deep`), [rows,D,h,w]; undefined: none

    /// The start of a picture: the record's `noise` where there is one, else a draw; over `latent.init` where there is one.
    ///
    /// A picture that was encoded with a draw of its own brings the generator along, `rng.state` and `lcm.rng_draws`: it goes on from
    /// there. With a mask one draw more follows the start noise, the reference's of the picture under it: an inpainting UNet uses it,
    /// others leave it out. Of an inpainting picture at full strength the reference never draws the start latent: then the seed begins
    /// anew.
    /// @param shape  of the latent, [C,h,w]
    /// @throws Error(data) when a tensor of the record has another shape, or its generator another seed
    static Trajectory start(const Record& record, const RunSettings& settings, const Sampler& sampler,
                            const std::vector<std::int64_t>& shape);

    /// The state that a record saved.
    /// @throws Error(data) when something is missing, has another shape or contradicts the rest
    static Trajectory restore(const Record& record, const RunSettings& settings, const Sampler& sampler,
                              const std::vector<std::int64_t>& shape);

    /// True when the next step uses the depth of an earlier one. @param interval  `RunSettings::reuse_deep`
    bool reuses_deep(int interval) const { return deep.defined() && state.step % interval != 0; }

    /// Takes a step, and sets back what a mask keeps.
    void step(const Sampler& sampler, const DenoiseFunction& network);

    /// Writes the latent; before the last step also what `restore` needs, after it nothing else is left of the run.
    /// @param interval  `RunSettings::reuse_deep`
    void save(Record& record, const Sampler& sampler, int interval) const;
};

/// How far a record has come: `lcm.step` of `lcm.steps`.
struct Progress {
    int done = 0, steps = 0;
};

/// Progress of a record that was started. @throws Error(data) unless the two are numbers and done is at most steps
Progress progress_of(const Record& record);

}  // namespace lcm
