#include <ATen/TensorOperators.h>

#include <utility>

#include "lib/sampling/control_kind.h"
#include "lib/sampling/control_networks.h"

namespace lcm {
namespace {

class BoundT2IAdapter : public BoundControl {
public:
    /// @param states  scaled
    explicit BoundT2IAdapter(std::vector<at::Tensor> states) : states_(std::move(states)) {}

    void add_to(UNetInputs& inputs) const override {
        if (inputs.adapter_states.empty()) {
            inputs.adapter_states = states_;
            return;
        }
        for (std::size_t i = 0; i < states_.size(); ++i) inputs.adapter_states[i] = inputs.adapter_states[i] + states_[i];
    }

private:
    std::vector<at::Tensor> states_;
};

class T2IAdapterControl : public ControlNetwork {
public:
    explicit T2IAdapterControl(std::shared_ptr<const T2IAdapter> network) : network_(std::move(network)) {}

    std::unique_ptr<BoundControl> bind(const ControlEntry& use, const SteeredPicture& picture) const override {
        std::vector<at::Tensor> states = network_->forward(picture.map(use.map));
        for (at::Tensor& state : states) state = state * use.scale;
        return std::make_unique<BoundT2IAdapter>(std::move(states));
    }

private:
    std::shared_ptr<const T2IAdapter> network_;
};

}  // namespace

extern const ControlKind t2i_adapter_kind{
    .name = "t2i-adapter",
    .title = "T2I-Adapter",
    .help = "The same with a T2I-Adapter",
    .value = "[MAP=]DIR|FILE[:SCALE[:START-END]]",
    .follows_map = true,
    .may_guess = false,
    .open = [](const std::string& path, const SteeredUNet& unet) -> std::shared_ptr<const ControlNetwork> {
        return std::make_shared<T2IAdapterControl>(open_t2i_adapter(path, unet));
    }};

}  // namespace lcm
