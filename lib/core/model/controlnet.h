#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "lib/core/model/unet.h"

namespace lcm {

/// `config.json` of a diffusers ControlNetModel: that of its UNet's way down, and what it sees.
struct ControlNetConfig {
    UNetConfig unet;                             ///< the keys of the way up are not read
    std::vector<std::int64_t> embedding_widths;  ///< of the map's own convolutions; each level but the first halves it
    std::int64_t conditioning_channels = 3;
    bool bgr = false;  ///< the map's channels are turned round

    /// @throws Error(data) naming the key: a value that this network does not implement is refused, never ignored
    static ControlNetConfig from_json(const Json& json);

    /// Pixels of the map a side of one latent, 8 in the published models.
    std::int64_t factor() const { return std::int64_t{1} << (embedding_widths.size() - 1); }

    /// @param name  of the ControlNet's folder. @throws Error(data) when the UNet has other widths, levels or conditions
    void expect_fits(const UNetConfig& other, const std::string& name) const;
};

/// What a ControlNet is added with.
struct ControlStrength {
    double scale = 1;
    /// Residuals grow from a tenth at the first to all at the last: scale * 10^(k/n - 1). The unconditional half gets none.
    bool guess = false;
};

/// What a ControlNet adds to a UNet.
struct ControlResiduals {
    std::vector<at::Tensor> down;  ///< to each skip
    at::Tensor middle;

    /// Adds those of another ControlNet.
    void add(const ControlResiduals& other);
};

/// ControlNetModel of diffusers: the UNet's way down once more, told of a map.
class ControlNet {
public:
    /// @param type  of the weights; what goes in is brought to it, what comes out has it
    ControlNet(const ControlNetConfig& config, nn::WeightSource& weights, at::ScalarType type = at::kFloat);
    ~ControlNet();
    ControlNet(ControlNet&&) noexcept;

    /// What it sees of a map, the same at every step.
    /// @param map  [B,channels,H,W] in 0..1, sides multiples of `factor()`
    /// @return     [B,C,H/factor,W/factor], where the weights lie. @throws Error(data)
    at::Tensor embed(const at::Tensor& map) const;

    /// @param inputs  as the UNet's, but for the context's cache, which is this network's own
    /// @param seen    what `embed` gave of one map, or of B, for the sample's size
    /// @return where the weights lie. @throws Error(data) when an input's shape does not fit
    ControlResiduals forward(const UNetInputs& inputs, const at::Tensor& seen, const ControlStrength& strength = {}) const;
    const ControlNetConfig& config() const;

private:
    struct Network;
    std::unique_ptr<Network> network_;
};

}  // namespace lcm
