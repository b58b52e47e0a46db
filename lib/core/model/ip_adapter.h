#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/core/model/unet.h"
#include "lib/core/nn/weight_source.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// What an IP-Adapter's file tells of itself.
struct IPAdapterShape {
    std::int64_t image_width = 0;    ///< of the image encoder's vectors
    std::int64_t context_width = 0;  ///< of the UNet's text
    std::int64_t tokens = 0;         ///< a picture

    /// @throws Error(data) for a file of another kind ("plus" and face adapters among them)
    static IPAdapterShape of(const WeightFile& file);

    /// @param name  of the file. @throws Error(data) when the UNet takes text of another width
    void expect_fits(const UNetConfig& unet, const std::string& name) const;
};

/// IP-Adapter: pictures as further tokens, over which each cross-attention of a UNet looks apart from the text.
class IPAdapter {
public:
    /// Names in the file: `image_proj.*`, and `ip_adapter.N.to_k_ip`, `to_v_ip`, where N counts the attention layers of the UNet in the
    /// order down, up, middle, self-attention among them.
    /// @throws Error(data) when the UNet has other layers
    IPAdapter(const UNetConfig& unet, const IPAdapterShape& shape, nn::WeightSource& weights);
    ~IPAdapter();
    IPAdapter(IPAdapter&&) noexcept;

    /// @param embeds  [B,image_width]; zeros stand for no picture. @return [B,tokens,context_width], where the weights lie
    at::Tensor tokens(const at::Tensor& embeds) const;

    const IPAdapterShape& shape() const;

    /// Keys and values for `UNetInputs::image_prompt`. @param tokens  [B,T,context_width]; @param scale  1: as trained
    std::vector<KeyValue> keys_values(const at::Tensor& tokens, double scale) const;

private:
    struct Network;
    std::unique_ptr<Network> network_;
};

}  // namespace lcm
