#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "lib/core/bundle/bundle.h"
#include "lib/sampling/observer.h"
#include "lib/stream/record.h"

namespace lcm {

/// What the command line asks of a picture; what is absent comes from the record when it was started before, else from the model.
struct DenoiseRequest {
    std::optional<std::int64_t> width, height;
    std::optional<int> steps;
    std::optional<double> guidance;
    std::optional<int> original_steps;                   ///< length of the distillation schedule (`original_inference_steps`)
    std::optional<std::vector<std::int64_t>> timesteps;  ///< a custom list, strictly descending
    std::optional<int> from;                             ///< the step the record must stand at; resuming needs no flag
    std::optional<int> to;                               ///< stop after this many steps and save the state
    std::uint64_t seed = 0;                              ///< of this picture; a record already started keeps its own
};

struct RunSettings;

/// The settings that a record would be drawn with; no network is loaded. @throws as Denoiser::denoise
RunSettings settings_for(const Bundle& bundle, const Record& record, const DenoiseRequest& request);

/// Turns conditioning into latents: noise, the consistency loop, saved state. Loads the UNet once.
class Denoiser {
public:
    explicit Denoiser(const Bundle& bundle);
    ~Denoiser();

    /// The record with `latent [C,h,w]`, keeping every tensor and key that it does not consume (stream-format, sections 6 and 7).
    /// @param index  number of the picture, for the observer
    /// @throws Error(data) when the record does not fit the model or its saved state contradicts itself,
    ///         Error(usage) when the request contradicts the record; Stopped between steps
    Record denoise(const Record& input, const DenoiseRequest& request, int index, Observer& observer) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lcm
