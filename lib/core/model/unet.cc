#include "lib/core/model/unet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/core/model/time_embedding.h"
#include "lib/core/model/unet_blocks.h"
#include "lib/core/nn/embedding.h"
#include "lib/core/nn/layers.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

constexpr std::int64_t time_ids_count = 6;  // original size, crop, target size: two numbers each

std::int64_t time_width(const UNetConfig& config) { return 4 * config.block_out_channels.front(); }

/// What all blocks share, for one of width `out`.
UNetBlockShape common_shape(const UNetConfig& config, std::int64_t in, std::int64_t out) {
    UNetBlockShape shape;
    shape.in = in;
    shape.out = out;
    shape.time_width = time_width(config);
    shape.groups = config.norm_num_groups;
    shape.eps = config.norm_eps;
    return shape;
}

/// The transformer of level `level`, counted from the full size.
TransformerShape transformer_shape(const UNetConfig& config, std::size_t level) {
    return {.channels = config.block_out_channels[level],
            .heads = config.num_attention_heads[level],
            .context_width = config.cross_attention_dim[level],
            .layers = config.transformer_layers_per_block[level],
            .groups = config.norm_num_groups};
}

std::vector<DownBlock> down_blocks(const UNetConfig& config, const nn::Scope& weights) {
    const std::vector<std::int64_t>& widths = config.block_out_channels;
    std::vector<DownBlock> blocks;
    for (std::size_t level = 0; level < widths.size(); ++level) {
        UNetBlockShape shape = common_shape(config, widths[level == 0 ? 0 : level - 1], widths[level]);
        shape.layers = config.layers_per_block[level];
        if (config.down_block_types[level] == "CrossAttnDownBlock2D") shape.attention = transformer_shape(config, level);
        shape.resample = level + 1 < widths.size();
        blocks.emplace_back(weights / level, shape);
    }
    return blocks;
}

std::vector<UpBlock> up_blocks(const UNetConfig& config, const nn::Scope& weights) {
    const std::vector<std::int64_t>& widths = config.block_out_channels;
    std::vector<UpBlock> blocks;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const std::size_t level = widths.size() - 1 - i;
        UNetBlockShape shape = common_shape(config, widths[i == 0 ? level : level + 1], widths[level]);
        shape.skip_in = widths[level == 0 ? 0 : level - 1];
        shape.layers = config.layers_per_block[level] + 1;
        if (config.up_block_types[i] == "CrossAttnUpBlock2D") shape.attention = transformer_shape(config, level);
        shape.resample = level > 0;
        blocks.emplace_back(weights / i, shape);
    }
    return blocks;
}

std::optional<MidBlock> mid_block(const UNetConfig& config, const nn::Scope& weights) {
    if (config.mid_block_type.empty()) return {};
    const std::int64_t width = config.block_out_channels.back();
    UNetBlockShape shape = common_shape(config, width, width);
    const std::size_t deepest = config.block_out_channels.size() - 1;
    if (config.mid_block_type == "UNetMidBlock2DCrossAttn") shape.attention = transformer_shape(config, deepest);
    return MidBlock(weights, shape);
}

void check_type(const at::Tensor& tensor, at::ScalarType type, std::string_view what) {
    if (tensor.scalar_type() == type) return;
    throw Error(ExitCode::data, "",
                fmt::format("{} is {}, expected {} as the sample", what, at::toString(tensor.scalar_type()), at::toString(type)));
}

/// An input that the model takes only where its configuration has `key`.
void check_optional(const at::Tensor& tensor, bool wanted, at::IntArrayRef shape, std::string_view what) {
    if (wanted)
        expect_shape(tensor, shape, what);
    else if (tensor.defined())
        throw Error(ExitCode::data, "", fmt::format("{} is given, but the UNet takes none", what));
}

void check_inputs(const UNetConfig& config, const UNetInputs& inputs) {
    expect_shape(inputs.sample, {-1, config.in_channels, -1, -1}, "the UNet's sample");
    const std::int64_t batch = inputs.sample.size(0);
    expect_shape(inputs.timestep, {inputs.timestep.defined() && inputs.timestep.numel() == 1 ? 1 : batch}, "the UNet's timestep");
    expect_shape(inputs.context, {batch, -1, config.cross_attention_dim.front()}, "the UNet's context");
    check_type(inputs.context, inputs.sample.scalar_type(), "the UNet's context");
    check_optional(inputs.guidance, config.time_cond_proj_dim.has_value(), {batch}, "the guidance");
    const std::int64_t pooled = config.projection_class_embeddings_input_dim - time_ids_count * config.addition_time_embed_dim;
    check_optional(inputs.text_pooled, config.text_time, {batch, pooled}, "the pooled text");
    check_optional(inputs.time_ids, config.text_time, {batch, time_ids_count}, "the size condition (time_ids)");
}

}  // namespace

struct UNet::Network {
    UNetConfig config;
    nn::Conv2d conv_in;
    TimeEmbedding time_embedding;
    std::optional<TimeEmbedding> add_embedding;
    std::vector<DownBlock> down;
    std::optional<MidBlock> mid;
    std::vector<UpBlock> up;
    nn::GroupNorm conv_norm_out;
    nn::Conv2d conv_out;

    Network(const UNetConfig& settings, const nn::Scope& weights)
        : config(settings),
          conv_in(weights / "conv_in", {.in = config.in_channels, .out = config.block_out_channels.front()}),
          time_embedding(weights / "time_embedding", config.block_out_channels.front(), time_width(config), config.time_cond_proj_dim),
          down(down_blocks(config, weights / "down_blocks")),
          mid(mid_block(config, weights / "mid_block")),
          up(up_blocks(config, weights / "up_blocks")),
          conv_norm_out(weights / "conv_norm_out", config.norm_num_groups, config.block_out_channels.front(), config.norm_eps),
          conv_out(weights / "conv_out", {.in = config.block_out_channels.front(), .out = config.out_channels}) {
        if (!config.text_time) return;
        add_embedding.emplace(weights / "add_embedding", config.projection_class_embeddings_input_dim, time_width(config));
    }

    at::Tensor sinusoid(const at::Tensor& t, std::int64_t dim) const {
        return nn::timestep_embedding(t, dim, config.flip_sin_to_cos, config.freq_shift);
    }

    /// Timestep, guidance and SDXL's added conditions as one vector a picture, after the SiLU that every resnet would apply.
    at::Tensor time_vector(const UNetInputs& inputs) const {
        const at::ScalarType type = inputs.sample.scalar_type();
        const std::int64_t batch = inputs.sample.size(0);
        at::Tensor guidance;
        if (config.time_cond_proj_dim) guidance = nn::guidance_embedding(inputs.guidance, *config.time_cond_proj_dim).to(type);
        const at::Tensor time = sinusoid(inputs.timestep.expand({batch}), config.block_out_channels.front()).to(type);
        at::Tensor vector = time_embedding(time, guidance);
        if (add_embedding) {
            const at::Tensor sizes = sinusoid(inputs.time_ids.flatten(), config.addition_time_embed_dim).reshape({batch, -1}).to(type);
            vector = vector + (*add_embedding)(at::cat({inputs.text_pooled.to(type), sizes}, 1));
        }
        return nn::activate(vector, nn::Activation::silu);
    }

    at::Tensor forward(const UNetInputs& inputs) const {
        const Conditions conditions{.time = time_vector(inputs), .context = inputs.context};
        at::Tensor x = conv_in(nn::channels_last(inputs.sample));
        std::vector<at::Tensor> skips{x};
        for (const DownBlock& block : down) x = block(x, conditions, skips);
        if (mid) x = (*mid)(x, conditions);
        for (const UpBlock& block : up) x = block(x, conditions, skips);
        return conv_out(conv_norm_out.norm_silu(x)).contiguous();
    }
};

UNet::UNet(const UNetConfig& config, nn::WeightSource& weights) : network_(std::make_unique<Network>(config, nn::Scope(weights))) {}
UNet::~UNet() = default;
UNet::UNet(UNet&&) noexcept = default;

at::Tensor UNet::forward(const UNetInputs& inputs) const {
    check_inputs(network_->config, inputs);
    return network_->forward(inputs);
}

const UNetConfig& UNet::config() const { return network_->config; }

}  // namespace lcm
