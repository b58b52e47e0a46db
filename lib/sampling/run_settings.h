#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/bundle/bundle.h"
#include "lib/core/tensor/noise.h"
#include "lib/sampling/request.h"
#include "lib/sampling/sampler.h"
#include "lib/stream/record.h"

namespace lcm {

/// What a model offers a picture before any flag is read.
struct ModelSettings {
    Json scheduler;  ///< `scheduler_config.json`
    Defaults defaults;
    LatentFormat latent;
    Precision precision = Precision::f32;
    bool guidance_embedding = false;  ///< a full LCM, which is told the guidance scale
    bool steps_offset = false;        ///< the reference's pipeline of the family sets `steps_offset` to 1
    bool inpainting = false;          ///< the UNet sees mask and masked picture beside the sample
};

/// What fixes a picture before its first step: settled once, written to the record, read back at resume.
struct RunSettings {
    std::string sampler;
    SchedulerConfig schedule;
    Precision precision = Precision::f32;
    int steps = 0;  ///< that run; the whole schedule may have another number
    double guidance = 1;
    double eta = 0;
    double token_merge = 0;            ///< share of tokens merged
    int reuse_deep = 1;                ///< the whole UNet runs at every so many steps
    std::optional<Strength> strength;  ///< of a picture that starts from a latent
    std::uint64_t seed = 0;
    Rng rng = Rng::torch_cpu;
    bool inpainting = false;             ///< as the model's
    std::int64_t width = 0, height = 0;  ///< pixels

    /// Settings of a new picture: the request, else the record (`lcm.size`, `noise`, `latent.init`), else the model.
    /// @throws Error(usage) for a request out of range or against the record, Error(data) for such a record, Error(refused) for a picture
    ///         above 16,384 pixels a side or 64 megapixels
    static RunSettings start(const Record& record, const DenoiseRequest& request, const ModelSettings& model);

    /// Settings of a picture that was started before; `request` may only repeat them.
    /// @throws Error(data) for values that are missing or make no sense, Error(usage) when the request contradicts them
    static RunSettings resume(const Record& record, const DenoiseRequest& request, const ModelSettings& model);

    /// Writes the settings with the `timesteps` that follow from them.
    void write(Record& record, const std::vector<double>& timesteps) const;

    /// Steps of the whole schedule.
    int schedule_steps() const { return schedule.num_inference_steps > 0 ? schedule.num_inference_steps : steps; }
    SamplerPlan plan() const { return {schedule, schedule_steps(), strength.value_or(Strength()), eta}; }
    NoiseSource noise_source() const { return {seed, rng, schedule.rng_rows, schedule.rng_row}; }

    /// Shape of the latent, [C,h,w].
    std::vector<std::int64_t> latent_shape(const LatentFormat& format) const;

private:
    /// Refuses what the sampler would not read. @throws Error(usage)
    void expect_read(const SamplerKind& kind, const DenoiseRequest& request) const;
};

/// A sampler's name as flags give it: "-karras" behind it stands for the spacing of the sigmas.
struct SamplerName {
    std::string name;
    std::optional<SigmaSpacing> spacing;
};
SamplerName parse_sampler_name(const std::string& text);

/// Refuses a request that says other than what the record already fixed. @throws Error(usage)
void expect_same(std::string_view what, bool same, const std::string& recorded);

/// The timesteps as a JSON array (`lcm.timesteps`).
std::string format_timesteps(const std::vector<double>& timesteps);

}  // namespace lcm
