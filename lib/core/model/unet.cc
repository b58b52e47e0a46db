#include "lib/core/model/unet.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"
#include "lib/core/model/unet_encoder.h"
#include "lib/core/model/unet_recorder.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

std::vector<UpBlock> up_blocks(const UNetConfig& config, const nn::Scope& weights) {
    const std::vector<std::int64_t>& widths = config.block_out_channels;
    std::vector<UpBlock> blocks;
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const std::size_t level = widths.size() - 1 - i;
        UNetBlockShape shape = unet_block_shape(config, widths[i == 0 ? level : level + 1], widths[level]);
        shape.skip_in = widths[level == 0 ? 0 : level - 1];
        shape.layers = config.layers_per_block[level] + 1;
        if (config.up_block_types[i] == "CrossAttnUpBlock2D") shape.attention = unet_transformer_shape(config, level);
        shape.resample = level > 0;
        blocks.emplace_back(weights / i, shape);
    }
    return blocks;
}

void check_count(std::string_view what, std::size_t found, std::size_t expected) {
    if (found == 0 || found == expected) return;
    throw Error(ExitCode::data, "", fmt::format("{} are {}, the UNet takes {}", what, found, expected),
                "take one that was trained for this family of models");
}

void check_residuals(const UNetEncoder& encoder, const UNetInputs& inputs) {
    const std::vector<std::int64_t> widths = encoder.skip_widths();
    check_count("the ControlNet's residuals", inputs.down_residuals.size(), widths.size());
    for (std::size_t i = 0; i < inputs.down_residuals.size(); ++i)
        expect_shape(inputs.down_residuals[i], {-1, widths[i], -1, -1}, fmt::format("the ControlNet's residual {}", i));
    const std::vector<std::int64_t>& levels = encoder.config().block_out_channels;
    check_count("the T2I-Adapter's states", inputs.adapter_states.size(), levels.size());
    for (std::size_t i = 0; i < inputs.adapter_states.size(); ++i)
        expect_shape(inputs.adapter_states[i], {-1, levels[i], -1, -1}, fmt::format("the T2I-Adapter's state {}", i));
}

/// A ControlNet's residuals, to those skips that are there.
void add_residuals(std::vector<at::Tensor>& skips, const UNetInputs& inputs) {
    for (std::size_t i = 0; i < std::min(skips.size(), inputs.down_residuals.size()); ++i) skips[i] = skips[i] + inputs.down_residuals[i];
}

/// Tokens are merged at the highest resolution that has attention.
TokenMergeShape merging(const UNetConfig& config, const UNetInputs& inputs) {
    TokenMergeShape shape{inputs.token_merge, inputs.sample.size(2), inputs.sample.size(3)};
    for (const std::string& block : config.down_block_types) {
        if (block == "CrossAttnDownBlock2D") return shape;
        shape.height = (shape.height + 1) / 2;
        shape.width = (shape.width + 1) / 2;
    }
    return {};
}

void check_deep(const UNetConfig& config, const UNetInputs& inputs) {
    if (!inputs.deep.defined()) return;
    const std::int64_t width = config.block_out_channels[config.block_out_channels.size() > 1 ? 1 : 0];
    expect_shape(inputs.deep, {inputs.sample.size(0), width, inputs.sample.size(2), inputs.sample.size(3)}, "the UNet's kept depth");
}

}  // namespace

std::vector<at::Tensor*> tensors_of(UNetInputs& inputs) {
    std::vector<at::Tensor*> tensors{&inputs.sample,      &inputs.timestep, &inputs.context,         &inputs.guidance,
                                     &inputs.text_pooled, &inputs.time_ids, &inputs.middle_residual, &inputs.deep};
    for (auto* list : {&inputs.down_residuals, &inputs.adapter_states})
        for (at::Tensor& tensor : *list) tensors.push_back(&tensor);
    for (KeyValue& pair : inputs.image_prompt) {
        tensors.push_back(&pair.key);
        tensors.push_back(&pair.value);
    }
    return tensors;
}

struct UNet::Network {
    std::optional<at::ScalarType> type;
    at::Device device;
    UNetRecorder recorder;
    UNetEncoder encoder;
    std::vector<UpBlock> up;
    nn::GroupNorm conv_norm_out;
    nn::Conv2d conv_out;

    Network(const UNetConfig& config, const nn::Scope& weights)
        : device(weights.device()),
          encoder(config, weights),
          up(up_blocks(config, weights / "up_blocks")),
          conv_norm_out(weights / "conv_norm_out", config.norm_num_groups, config.block_out_channels.front(), config.norm_eps),
          conv_out(weights / "conv_out", {.in = config.block_out_channels.front(), .out = config.out_channels}) {}

    UNetOutputs evaluate(const UNetInputs& inputs) {
        const TimeFeatures time = encoder.time_features(inputs);
        // Which tokens are merged is found out while it runs, with tables of the CPU.
        if (device.is_cpu() || !has_graphs() || inputs.token_merge > 0) return forward(inputs, time);
        return recorder(inputs, time, [this](const UNetInputs& given, const TimeFeatures& features) { return forward(given, features); });
    }

    UNetOutputs forward(const UNetInputs& inputs, const TimeFeatures& time) const {
        ExtraContext extra(inputs.image_prompt);
        const Conditions conditions{.time = encoder.time_vector(time, inputs.text_pooled),
                                    .context = {inputs.context, inputs.context_cache.get()},
                                    .extra = &extra,
                                    .merging = merging(encoder.config(), inputs)};
        auto [deep, skips] = inputs.deep.defined() ? kept(inputs, conditions) : fresh(inputs, conditions);
        const at::Tensor x = up.back()(deep, conditions, skips);
        return {nn::norm_silu_conv(conv_norm_out, conv_out, x).contiguous(), deep};
    }

    /// What the last block on the way up takes.
    UNetFeatures fresh(const UNetInputs& inputs, const Conditions& conditions) const {
        auto [x, skips] = encoder(encoder.begin(inputs.sample), conditions, inputs.adapter_states);
        add_residuals(skips, inputs);
        if (inputs.middle_residual.defined()) x = x + inputs.middle_residual;
        for (std::size_t i = 0; i + 1 < up.size(); ++i) x = up[i](x, conditions, skips);
        return {x, skips};
    }

    /// The same with the depth of an earlier evaluation.
    UNetFeatures kept(const UNetInputs& inputs, const Conditions& conditions) const {
        UNetFeatures features{nn::channels_last(inputs.deep),
                              encoder.outer_skips(encoder.begin(inputs.sample), conditions, inputs.adapter_states)};
        add_residuals(features.skips, inputs);
        conditions.extra->skip_to_last(up.back().cross_attentions());
        return features;
    }
};

UNet::UNet(const UNetConfig& config, nn::WeightSource& weights, std::optional<at::ScalarType> type)
    : network_(std::make_unique<Network>(config, nn::Scope(weights))) {
    network_->type = type;
}
UNet::~UNet() = default;
UNet::UNet(UNet&&) noexcept = default;

UNetOutputs UNet::evaluate(const UNetInputs& inputs) const {
    check_unet_inputs(network_->encoder.config(), inputs, "the UNet");
    check_deep(network_->encoder.config(), inputs);
    check_residuals(network_->encoder, inputs);
    const at::ScalarType outer = inputs.sample.scalar_type();
    UNetOutputs outputs = network_->evaluate(placed(inputs, network_->type.value_or(outer), network_->device));
    outputs.sample = outputs.sample.to(inputs.sample.device(), outer);
    return outputs;
}

const UNetConfig& UNet::config() const { return network_->encoder.config(); }

}  // namespace lcm
