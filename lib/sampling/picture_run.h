#pragma once

#include <memory>
#include <string>

#include "lib/core/adapter/base_adapter.h"
#include "lib/core/bundle/record_check.h"
#include "lib/core/model/unet.h"
#include "lib/sampling/guided_unet.h"
#include "lib/sampling/observer.h"
#include "lib/sampling/picture_control.h"
#include "lib/sampling/request.h"
#include "lib/sampling/run_settings.h"
#include "lib/sampling/sampler.h"
#include "lib/sampling/steering.h"
#include "lib/sampling/trajectory.h"
#include "lib/stream/record.h"

namespace lcm {

/// What a denoiser has for every picture.
struct DenoiseModel {
    DenoiseModel(const Bundle& bundle, AdapterSet set, ControlSet networks);

    AdapterSet adapters;
    ControlSet control;
    std::string name, arch, sha256;
    at::Device device;  ///< where its networks compute
    RecordCheck check;
    UNet unet;
    ModelSettings settings;
};

/// The settings of a bundle. @throws Error(data) when it is no text-to-picture model, or its prediction type cannot be told
ModelSettings model_settings(const Bundle& bundle);

/// One picture between its record and its latent: all of its run but the network's evaluations.
class PictureRun {
public:
    /// Of a record that is not finished. Must not outlive the model. @throws as Denoiser::denoise
    PictureRun(const DenoiseModel& model, const Record& input, const DenoiseRequest& request);
    PictureRun(const PictureRun&) = delete;
    PictureRun& operator=(const PictureRun&) = delete;

    int step() const { return run_.state.step; }
    int steps() const { return settings_.steps; }
    bool is_done() const { return step() >= to_; }
    /// True when another run has begun the picture.
    bool was_started() const { return started_; }
    const RunSettings& settings() const { return settings_; }

    /// What the next step asks of the network.
    UNetInputs question() const;
    /// Takes that step with the network's answer. @throws Error(data) for NaN
    void take(const UNetOutputs& answer);

    /// The record as it stands now.
    Record finish();

private:
    double timestep() const;
    void sign(Record& record) const;

    const DenoiseModel& model_;
    const bool started_;
    RunSettings settings_;
    std::unique_ptr<Sampler> sampler_;
    int to_;
    Record output_;
    Trajectory run_;
    Steering steering_;
    GuidedUNet guided_;
    PictureControl control_;
};

/// A finished record: passed on when the request asks for exactly that. @throws Error(data)
Record pass_finished(const Record& record, const DenoiseRequest& request, int steps);

}  // namespace lcm
