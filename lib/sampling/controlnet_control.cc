#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>

#include <utility>

#include "lib/sampling/control_kind.h"
#include "lib/sampling/control_networks.h"

namespace lcm {
namespace {

/// The second half of what has two; a tensor for all or an absent one stays.
at::Tensor conditional_half(const at::Tensor& tensor, std::int64_t batch) {
    return tensor.defined() && tensor.size(0) == batch ? tensor.narrow(0, batch / 2, batch / 2) : tensor;
}

at::Tensor with_zero_half(const at::Tensor& residual) { return at::cat({at::zeros_like(residual), residual}); }

class BoundControlNet : public BoundControl {
public:
    /// @param half  the network sees the conditional half alone
    BoundControlNet(const ControlNet& network, const at::Tensor& map, const ControlStrength& strength, bool half)
        : network_(network), seen_(network.embed(map)), strength_(strength), half_(half) {}

    void add_to(UNetInputs& inputs) const override {
        ControlResiduals found = residuals(inputs);
        if (!inputs.down_residuals.empty()) {
            ControlResiduals sum{std::move(inputs.down_residuals), inputs.middle_residual};
            sum.add(found);
            found = std::move(sum);
        }
        inputs.down_residuals = std::move(found.down);
        inputs.middle_residual = found.middle;
    }

private:
    ControlResiduals residuals(const UNetInputs& inputs) const {
        UNetInputs own = inputs;
        own.context_cache = context_cache_;
        if (!network_.config().unet.time_cond_proj_dim) own.guidance = at::Tensor();  // the UNet's own affair
        if (half_) {
            const std::int64_t batch = inputs.sample.size(0);
            for (at::Tensor* part : {&own.sample, &own.context, &own.text_pooled, &own.time_ids})
                *part = conditional_half(*part, batch);
        }
        ControlResiduals found = network_.forward(own, seen_, strength_);
        if (!half_) return found;
        for (at::Tensor& residual : found.down) residual = with_zero_half(residual);
        found.middle = with_zero_half(found.middle);
        return found;
    }

    const ControlNet& network_;
    at::Tensor seen_;  ///< what the network sees of the map
    std::shared_ptr<ContextCache> context_cache_ = std::make_shared<ContextCache>();
    ControlStrength strength_;
    bool half_;
};

class ControlNetControl : public ControlNetwork {
public:
    explicit ControlNetControl(std::shared_ptr<const ControlNet> network) : network_(std::move(network)) {}

    std::unique_ptr<BoundControl> bind(const ControlEntry& use, const SteeredPicture& picture) const override {
        const ControlStrength strength{.scale = use.scale, .guess = use.guess};
        return std::make_unique<BoundControlNet>(*network_, picture.map(use.map), strength, use.guess && picture.classifier_free);
    }

private:
    std::shared_ptr<const ControlNet> network_;
};

}  // namespace

extern const ControlKind controlnet_kind{
    .name = "controlnet",
    .title = "ControlNet",
    .help = "Follow the record's control map with a ControlNet, its scale (1), in this share of the steps (0-1)",
    .value = "[MAP=]DIR|FILE[:SCALE[:START-END]]",
    .follows_map = true,
    .may_guess = true,
    .open = [](const std::string& path, const SteeredUNet& unet) -> std::shared_ptr<const ControlNetwork> {
        return std::make_shared<ControlNetControl>(open_controlnet(path, unet));
    }};

}  // namespace lcm
