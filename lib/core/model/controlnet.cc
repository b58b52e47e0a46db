#include "lib/core/model/controlnet.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "lib/base/error.h"
#include "lib/core/model/config_reader.h"
#include "lib/core/model/unet_encoder.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

/// ControlNetConditioningEmbedding of diffusers: the map brought to the size and width of the latents.
class MapEmbedding {
public:
    MapEmbedding(const nn::Scope& weights, const ControlNetConfig& config)
        : conv_in_(weights / "conv_in", {.in = config.conditioning_channels, .out = config.embedding_widths.front()}),
          conv_out_(weights / "conv_out", {.in = config.embedding_widths.back(), .out = config.unet.block_out_channels.front()}) {
        for (std::size_t i = 0; i + 1 < config.embedding_widths.size(); ++i) {
            const std::int64_t in = config.embedding_widths[i], out = config.embedding_widths[i + 1];
            blocks_.emplace_back(weights / "blocks" / (2 * i), nn::ConvShape{.in = in, .out = in});
            blocks_.emplace_back(weights / "blocks" / (2 * i + 1), nn::ConvShape{.in = in, .out = out, .stride = 2});
        }
    }

    at::Tensor operator()(const at::Tensor& map) const {
        nn::Epilogue silu;
        silu.activation = nn::Activation::silu;
        at::Tensor x = conv_in_(nn::channels_last(map), silu);
        for (const nn::Conv2d& block : blocks_) x = block(x, silu);
        return conv_out_(x);
    }

private:
    nn::Conv2d conv_in_, conv_out_;
    std::vector<nn::Conv2d> blocks_;
};

nn::ConvShape pointwise(std::int64_t width) { return {.in = width, .out = width, .kernel = 1, .padding = 0}; }

}  // namespace

ControlNetConfig ControlNetConfig::from_json(const Json& json) {
    ConfigReader reader(json);
    ControlNetConfig config;
    config.unet = read_unet_encoder(reader, json);
    reader.only("global_pool_conditions", "false");
    config.conditioning_channels = reader.positive("conditioning_channels", config.conditioning_channels);
    config.embedding_widths = reader.find("conditioning_embedding_out_channels")
                                  ? reader.positive_list("conditioning_embedding_out_channels")
                                  : std::vector<std::int64_t>{16, 32, 96, 256};
    constexpr const char* order = "controlnet_conditioning_channel_order";
    if (const Json* value = reader.find(order)) {
        config.bgr = value->as_string() == "bgr";
        if (!config.bgr && value->as_string() != "rgb") reader.refuse(order, fmt::format("{} is neither rgb nor bgr", to_json(*value)));
    }
    reader.finish();
    return config;
}

void ControlNetConfig::expect_fits(const UNetConfig& other, const std::string& name) const {
    const auto refuse = [&](std::string_view what, const auto& ours, const auto& theirs) {
        throw Error(ExitCode::data, name, fmt::format("the ControlNet has {} {}, the UNet {}", what, ours, theirs),
                    "take a ControlNet that was trained for this family of models");
    };
    if (unet.block_out_channels != other.block_out_channels)
        refuse("widths", fmt::format("{}", unet.block_out_channels), fmt::format("{}", other.block_out_channels));
    if (unet.layers_per_block != other.layers_per_block)
        refuse("layers", fmt::format("{}", unet.layers_per_block), fmt::format("{}", other.layers_per_block));
    if (unet.cross_attention_dim.front() != other.cross_attention_dim.front())
        refuse("text width", unet.cross_attention_dim.front(), other.cross_attention_dim.front());
    if (unet.in_channels != other.out_channels) refuse("latent channels", unet.in_channels, other.out_channels);
    if (unet.text_time != other.text_time) refuse("pooled text", unet.text_time ? "yes" : "no", other.text_time ? "yes" : "no");
}

void ControlResiduals::add(const ControlResiduals& other) {
    for (std::size_t i = 0; i < down.size(); ++i) down[i] = down[i] + other.down[i];
    middle = middle + other.middle;
}

struct ControlNet::Network {
    at::ScalarType type;
    at::Device device;
    ControlNetConfig config;
    UNetEncoder encoder;
    MapEmbedding map_embedding;
    std::vector<nn::Conv2d> down;
    nn::Conv2d middle;

    Network(const ControlNetConfig& settings, const nn::Scope& weights, at::ScalarType of_weights)
        : type(of_weights),
          device(weights.device()),
          config(settings),
          encoder(config.unet, weights),
          map_embedding(weights / "controlnet_cond_embedding", config),
          middle(weights / "controlnet_mid_block", pointwise(config.unet.block_out_channels.back())) {
        for (const std::int64_t width : encoder.skip_widths())
            down.emplace_back(weights / "controlnet_down_blocks" / down.size(), pointwise(width));
    }

    /// The factor of residual `index`, the middle counted last.
    double scale(const ControlStrength& strength, std::size_t index) const {
        return strength.guess ? strength.scale * std::pow(10.0, static_cast<double>(index) / static_cast<double>(down.size()) - 1)
                              : strength.scale;
    }

    ControlResiduals forward(const UNetInputs& inputs, const at::Tensor& seen, const ControlStrength& strength) const {
        const Conditions conditions{.time = encoder.time_vector(encoder.time_features(inputs), inputs.text_pooled),
                                    .context = {inputs.context, inputs.context_cache.get()}};
        const UNetFeatures features = encoder(encoder.begin(inputs.sample) + seen, conditions);
        ControlResiduals residuals;
        for (std::size_t i = 0; i < down.size(); ++i) residuals.down.push_back(down[i](features.skips[i]) * scale(strength, i));
        residuals.middle = middle(features.middle) * scale(strength, down.size());
        return residuals;
    }
};

ControlNet::ControlNet(const ControlNetConfig& config, nn::WeightSource& weights, at::ScalarType type)
    : network_(std::make_unique<Network>(config, nn::Scope(weights), type)) {}
ControlNet::~ControlNet() = default;
ControlNet::ControlNet(ControlNet&&) noexcept = default;

at::Tensor ControlNet::embed(const at::Tensor& map) const {
    const ControlNetConfig& config = network_->config;
    expect_shape(map, {-1, config.conditioning_channels, -1, -1}, "the control map");
    const std::int64_t factor = config.factor();
    if (map.size(2) % factor != 0 || map.size(3) % factor != 0)
        throw Error(ExitCode::data, "",
                    fmt::format("the control map of {}x{} has a side that is no multiple of {}", map.size(3), map.size(2), factor));
    const at::Tensor placed = map.to(network_->device, network_->type);
    return network_->map_embedding(config.bgr ? placed.flip({1}) : placed);
}

ControlResiduals ControlNet::forward(const UNetInputs& inputs, const at::Tensor& seen, const ControlStrength& strength) const {
    const ControlNetConfig& config = network_->config;
    check_unet_inputs(config.unet, inputs, "the ControlNet");
    const std::int64_t batch = seen.defined() && seen.dim() == 4 && seen.size(0) == 1 ? 1 : inputs.sample.size(0);
    expect_shape(seen, {batch, config.unet.block_out_channels.front(), inputs.sample.size(2), inputs.sample.size(3)},
                 "what the ControlNet sees of its map");
    return network_->forward(placed(inputs, network_->type, network_->device), seen, strength);
}

const ControlNetConfig& ControlNet::config() const { return network_->config; }

}  // namespace lcm
