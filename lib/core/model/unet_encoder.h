#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lib/core/model/time_embedding.h"
#include "lib/core/model/unet.h"
#include "lib/core/model/unet_blocks.h"

namespace lcm {

class ConfigReader;

/// The keys of a configuration that describe the way down and the middle; the caller reads its own and calls `finish`.
/// @throws Error(data)
UNetConfig read_unet_encoder(ConfigReader& reader, const Json& json);

/// Refuses inputs whose shapes do not fit. @param network  what messages call it ("the UNet"). @throws Error(data)
void check_unet_inputs(const UNetConfig& config, const UNetInputs& inputs, std::string_view network);

/// What all blocks share, for one that takes `in` and gives `out` channels.
UNetBlockShape unet_block_shape(const UNetConfig& config, std::int64_t in, std::int64_t out);

/// The transformer of level `level`, counted from the full size.
TransformerShape unet_transformer_shape(const UNetConfig& config, std::size_t level);

/// The sinusoids of timestep, guidance and SDXL's sizes, one row a picture; undefined for what the model does not take.
struct TimeFeatures {
    at::Tensor time, guidance, sizes;
};

/// The inputs with all that meets weights in this type and on this device; what becomes a sinusoid stays as it is.
UNetInputs placed(UNetInputs inputs, at::ScalarType type, at::Device device);

/// What the way up starts from.
struct UNetFeatures {
    at::Tensor middle;
    std::vector<at::Tensor> skips;  ///< of the first convolution, every layer and every downsampler
};

/// The half that a UNet and its ControlNets share: first convolution, time embedding, the way down, the middle.
class UNetEncoder {
public:
    UNetEncoder(const UNetConfig& config, const nn::Scope& weights);

    /// Made on the CPU, whose sines reach further than a GPU's, then as the sample is.
    TimeFeatures time_features(const UNetInputs& inputs) const;
    /// Timestep, guidance and SDXL's added conditions as one vector a picture, after the SiLU that every resnet would apply.
    at::Tensor time_vector(const TimeFeatures& features, const at::Tensor& text_pooled) const;

    /// The first convolution.
    at::Tensor begin(const at::Tensor& sample) const { return conv_in_(nn::channels_last(sample)); }

    /// The rest, from the result of `begin`.
    /// @param states  a T2I-Adapter's, one a block; empty: none
    UNetFeatures operator()(at::Tensor x, const Conditions& conditions, const std::vector<at::Tensor>& states = {}) const;

    /// The skips of the full size alone: of the first convolution and the first block's layers.
    std::vector<at::Tensor> outer_skips(at::Tensor x, const Conditions& conditions, const std::vector<at::Tensor>& states = {}) const;

    /// Widths of the skips, in order.
    std::vector<std::int64_t> skip_widths() const;

    const UNetConfig& config() const { return config_; }

private:
    at::Tensor sinusoid(const at::Tensor& t, std::int64_t dim) const;

    UNetConfig config_;
    nn::Conv2d conv_in_;
    TimeEmbedding time_embedding_;
    std::optional<TimeEmbedding> add_embedding_;
    std::vector<DownBlock> down_;
    std::optional<MidBlock> mid_;
};

}  // namespace lcm
