#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "lib/core/model/unet.h"
#include "lib/stream/record.h"

namespace lcm {

class PictureControl;
struct SamplerState;

/// How strongly a picture follows its prompt.
struct Guidance {
    double scale = 1;
    double rescale = 0;  ///< share of the guided output that gets the standard deviation of the conditional one (Lin 2023, section 3.4)

    /// True when the UNet runs on two halves: it has no guidance embedding, and the scale is above 1.
    bool is_classifier_free(const UNetConfig& unet) const;
};

/// A UNet bound to one picture's conditioning and guidance scale.
///
/// A UNet with a guidance embedding is told w = scale - 1. Any other takes classifier-free guidance when the scale is above 1:
/// e = e_uncond + scale * (e_cond - e_uncond), both halves in one batch, unconditional first (lcm-facts, section 1).
class GuidedUNet {
public:
    /// @param record  whose conditions fit the UNet (`RecordCheck::expect_conditions`), with size conditions where it takes them
    /// @throws Error(data) when the two halves have different numbers of tokens
    GuidedUNet(const UNet& unet, const Record& record, const Guidance& guidance);

    /// Both halves run, the unconditional one first.
    bool classifier_free() const { return classifier_free_; }

    /// From here on `control` has its say at each call. @param state  tells the step, of `steps`; both outlive this
    void follow(const PictureControl& control, const SamplerState& state, int steps);

    /// From here on these channels [1,N,H,W] go behind the sample's at each call, in both halves (inpainting).
    void append(const at::Tensor& channels) { appended_ = channels; }

    /// The network's inputs for `sample` [1,C,H,W] at `timestep`.
    UNetInputs inputs(const at::Tensor& sample, double timestep) const;
    /// The guided output [1,C,H,W], row-major, of what the network gave for such inputs.
    /// @throws Error(data) when the network gave NaN or infinity
    at::Tensor output(const UNetOutputs& given, double timestep) const;

private:
    void bind_pooled(const Record& record);
    at::Tensor guide(const at::Tensor& unconditional, const at::Tensor& conditional) const;

    const UNet& unet_;
    const PictureControl* control_ = nullptr;
    const SamplerState* state_ = nullptr;
    int steps_ = 0;
    std::string place_;  ///< of the record, for messages
    Guidance scale_;
    bool classifier_free_;
    at::Tensor context_;            ///< [1 or 2,T,D]
    std::shared_ptr<ContextCache> context_cache_ = std::make_shared<ContextCache>();
    at::Tensor guidance_;           ///< [1], undefined without a guidance embedding
    at::Tensor appended_;           ///< [1,N,H,W], undefined where none
    at::Tensor pooled_, time_ids_;  ///< [1 or 2,P], [1 or 2,6]; undefined for a UNet that takes none
};

}  // namespace lcm
