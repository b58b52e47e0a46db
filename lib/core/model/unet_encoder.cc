#include "lib/core/model/unet_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lib/base/error.h"
#include "lib/core/nn/embedding.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

constexpr std::int64_t time_ids_count = 6;  // original size, crop, target size: two numbers each

std::int64_t time_width(const UNetConfig& config) { return 4 * config.block_out_channels.front(); }

std::vector<DownBlock> down_blocks(const UNetConfig& config, const nn::Scope& weights) {
    const std::vector<std::int64_t>& widths = config.block_out_channels;
    std::vector<DownBlock> blocks;
    for (std::size_t level = 0; level < widths.size(); ++level) {
        UNetBlockShape shape = unet_block_shape(config, widths[level == 0 ? 0 : level - 1], widths[level]);
        shape.layers = config.layers_per_block[level];
        if (config.down_block_types[level] == "CrossAttnDownBlock2D") shape.attention = unet_transformer_shape(config, level);
        shape.resample = level + 1 < widths.size();
        blocks.emplace_back(weights / level, shape);
    }
    return blocks;
}

std::optional<MidBlock> mid_block(const UNetConfig& config, const nn::Scope& weights) {
    if (config.mid_block_type.empty()) return {};
    const std::int64_t width = config.block_out_channels.back();
    UNetBlockShape shape = unet_block_shape(config, width, width);
    const std::size_t deepest = config.block_out_channels.size() - 1;
    if (config.mid_block_type == "UNetMidBlock2DCrossAttn") shape.attention = unet_transformer_shape(config, deepest);
    return MidBlock(weights, shape);
}

void check_type(const at::Tensor& tensor, at::ScalarType type, const std::string& what) {
    if (tensor.scalar_type() == type) return;
    throw Error(ExitCode::data, "",
                fmt::format("{} is {}, expected {} as the sample", what, at::toString(tensor.scalar_type()), at::toString(type)));
}

/// An input that the model takes only where its configuration has `wanted`.
void check_optional(const at::Tensor& tensor, bool wanted, at::IntArrayRef shape, std::string_view network, std::string_view what) {
    if (wanted)
        expect_shape(tensor, shape, what);
    else if (tensor.defined())
        throw Error(ExitCode::data, "", fmt::format("{} is given, but {} takes none", what, network));
}

}  // namespace

UNetBlockShape unet_block_shape(const UNetConfig& config, std::int64_t in, std::int64_t out) {
    UNetBlockShape shape;
    shape.in = in;
    shape.out = out;
    shape.time_width = time_width(config);
    shape.groups = config.norm_num_groups;
    shape.eps = config.norm_eps;
    return shape;
}

TransformerShape unet_transformer_shape(const UNetConfig& config, std::size_t level) {
    return {.channels = config.block_out_channels[level],
            .heads = config.num_attention_heads[level],
            .context_width = config.cross_attention_dim[level],
            .layers = config.transformer_layers_per_block[level],
            .groups = config.norm_num_groups};
}

void check_unet_inputs(const UNetConfig& config, const UNetInputs& inputs, std::string_view network) {
    const auto name = [&](std::string_view what) { return fmt::format("{}'s {}", network, what); };
    expect_shape(inputs.sample, {-1, config.in_channels, -1, -1}, name("sample"));
    const std::int64_t batch = inputs.sample.size(0);
    expect_shape(inputs.timestep, {inputs.timestep.defined() && inputs.timestep.numel() == 1 ? 1 : batch}, name("timestep"));
    expect_shape(inputs.context, {batch, -1, config.cross_attention_dim.front()}, name("context"));
    check_type(inputs.context, inputs.sample.scalar_type(), name("context"));
    check_optional(inputs.guidance, config.time_cond_proj_dim.has_value(), {batch}, network, "the guidance");
    const std::int64_t pooled = config.projection_class_embeddings_input_dim - time_ids_count * config.addition_time_embed_dim;
    check_optional(inputs.text_pooled, config.text_time, {batch, pooled}, network, "the pooled text");
    check_optional(inputs.time_ids, config.text_time, {batch, time_ids_count}, network, "the size condition (time_ids)");
}

UNetInputs placed(UNetInputs inputs, at::ScalarType type, at::Device device) {
    const std::array numbers{&inputs.timestep, &inputs.guidance, &inputs.time_ids};
    for (at::Tensor* tensor : tensors_of(inputs))
        if (tensor->defined() && std::ranges::find(numbers, tensor) == numbers.end()) *tensor = tensor->to(device, type);
    return inputs;
}

UNetEncoder::UNetEncoder(const UNetConfig& config, const nn::Scope& weights)
    : config_(config),
      conv_in_(weights / "conv_in", {.in = config.in_channels, .out = config.block_out_channels.front()}),
      time_embedding_(weights / "time_embedding", config.block_out_channels.front(), time_width(config), config.time_cond_proj_dim),
      down_(down_blocks(config, weights / "down_blocks")),
      mid_(mid_block(config, weights / "mid_block")) {
    if (!config.text_time) return;
    add_embedding_.emplace(weights / "add_embedding", config.projection_class_embeddings_input_dim, time_width(config));
}

at::Tensor UNetEncoder::sinusoid(const at::Tensor& t, std::int64_t dim) const {
    return nn::timestep_embedding(t, dim, config_.flip_sin_to_cos, config_.freq_shift);
}

TimeFeatures UNetEncoder::time_features(const UNetInputs& inputs) const {
    const auto as_sample = [&](const at::Tensor& sines) { return sines.to(inputs.sample.device(), inputs.sample.scalar_type()); };
    const std::int64_t batch = inputs.sample.size(0);
    TimeFeatures features;
    features.time = as_sample(sinusoid(inputs.timestep.expand({batch}), config_.block_out_channels.front()));
    if (config_.time_cond_proj_dim)
        features.guidance = as_sample(nn::guidance_embedding(inputs.guidance, *config_.time_cond_proj_dim));
    if (add_embedding_)
        features.sizes = as_sample(sinusoid(inputs.time_ids.flatten(), config_.addition_time_embed_dim).reshape({batch, -1}));
    return features;
}

at::Tensor UNetEncoder::time_vector(const TimeFeatures& features, const at::Tensor& text_pooled) const {
    at::Tensor vector = time_embedding_(features.time, features.guidance);
    if (add_embedding_)
        vector = vector + (*add_embedding_)(at::cat({text_pooled.to(features.sizes.scalar_type()), features.sizes}, 1));
    return nn::activate(vector, nn::Activation::silu);
}

UNetFeatures UNetEncoder::operator()(at::Tensor x, const Conditions& conditions, const std::vector<at::Tensor>& states) const {
    UNetFeatures features{.middle = {}, .skips = {x}};
    for (std::size_t i = 0; i < down_.size(); ++i) x = down_[i](x, conditions, features.skips, states.empty() ? at::Tensor() : states[i]);
    features.middle = mid_ ? (*mid_)(x, conditions) : x;
    return features;
}

std::vector<at::Tensor> UNetEncoder::outer_skips(at::Tensor x, const Conditions& conditions, const std::vector<at::Tensor>& states) const {
    std::vector<at::Tensor> skips{x};
    down_.front().layers(std::move(x), conditions, skips, states.empty() ? at::Tensor() : states.front());
    return skips;
}

std::vector<std::int64_t> UNetEncoder::skip_widths() const {
    const std::vector<std::int64_t>& widths = config_.block_out_channels;
    std::vector<std::int64_t> skips{widths.front()};
    for (std::size_t level = 0; level < widths.size(); ++level) {
        const std::int64_t resample = level + 1 < widths.size() ? 1 : 0;
        skips.insert(skips.end(), static_cast<std::size_t>(config_.layers_per_block[level] + resample), widths[level]);
    }
    return skips;
}

}  // namespace lcm
