#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "lib/base/error.h"
#include "lib/core/adapter/base_adapter.h"
#include "lib/core/bundle/bundle.h"
#include "lib/sampling/observer.h"
#include "lib/sampling/picture_control.h"
#include "lib/sampling/request.h"
#include "lib/stream/record.h"

namespace lcm {

struct RunSettings;
class PictureRun;

/// A picture to denoise among others.
struct DenoiseTask {
    const Record* input = nullptr;  ///< must live as long as the call
    DenoiseRequest request;
    int index = 0;  ///< number of the picture, for the observer
};

/// What came of it: one of the two.
struct Denoised {
    std::optional<Record> record;
    std::optional<Error> failure;
};

/// The settings that a record would be drawn with; no network is loaded. @throws as Denoiser::denoise
RunSettings settings_for(const Bundle& bundle, const Record& record, const DenoiseRequest& request);

/// Turns conditioning into latents: noise or a start latent, the steps of a sampler, saved state. Loads the UNet once.
class Denoiser {
public:
    /// @param adapters  what changes the UNet, its conditions and its latents; their weights are in this one only
    /// @param control  the networks that steer it beside its text
    explicit Denoiser(const Bundle& bundle, AdapterSet adapters = {}, ControlSet control = {});
    ~Denoiser();

    /// The record with `latent [C,h,w]`, keeping every tensor and key that it does not consume (stream-format, sections 6 and 7).
    /// @param index  number of the picture, for the observer
    /// @throws Error(data) when the record does not fit the model or its saved state contradicts itself,
    ///         Error(usage) when the request contradicts the record; Stopped between steps
    Record denoise(const Record& input, const DenoiseRequest& request, int index, Observer& observer) const;

    /// Several pictures side by side: at each step those whose sizes and conditions fit each other go through the network as one batch.
    /// Noise and sampler stay each picture's own. The results are those of `denoise` within the rounding of a batch, in the order of the
    /// tasks; a picture that fails does not touch the others. @throws Stopped between steps
    std::vector<Denoised> denoise_together(const std::vector<DenoiseTask>& tasks, Observer& observer) const;

private:
    std::unique_ptr<PictureRun> begin(const DenoiseTask& task, std::optional<Record>& passed) const;

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lcm
