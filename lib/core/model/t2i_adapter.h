#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/core/model/unet.h"
#include "lib/core/nn/weight_source.h"

namespace lcm {

/// `config.json` of a diffusers T2IAdapter of type full_adapter.
struct T2IAdapterConfig {
    std::vector<std::int64_t> channels;  ///< a level each, from the size of the latents
    std::int64_t in_channels = 3, num_res_blocks = 2, downscale_factor = 8;

    /// @throws Error(data) naming the key; the light adapters and SDXL's are not implemented
    static T2IAdapterConfig from_json(const Json& json);

    /// @param name  of the adapter's folder. @throws Error(data) when the UNet has other widths
    void expect_fits(const UNetConfig& unet, const std::string& name) const;
};

/// T2IAdapter of diffusers: a map to one tensor for each of a UNet's levels. It sees neither sample nor timestep: once a picture is enough.
class T2IAdapter {
public:
    T2IAdapter(const T2IAdapterConfig& config, nn::WeightSource& weights);
    ~T2IAdapter();
    T2IAdapter(T2IAdapter&&) noexcept;

    /// @param map  [B,in_channels,H,W] in 0..1, sides multiples of `downscale_factor`
    /// @return     unscaled states for `UNetInputs::adapter_states`, where the weights lie. @throws Error(data)
    std::vector<at::Tensor> forward(const at::Tensor& map) const;
    const T2IAdapterConfig& config() const;

private:
    struct Network;
    std::unique_ptr<Network> network_;
};

}  // namespace lcm
