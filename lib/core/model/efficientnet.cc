#include "lib/core/model/efficientnet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/relu6.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "lib/core/nn/layers.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

constexpr double batch_norm_eps = 1e-3, unused_momentum = 0;
constexpr std::int64_t stem_width = 32, no_padding = 0, no_dilation = 1;

/// Blocks of one kind in a row.
struct Stage {
    std::int64_t repeats, kernel, stride, expand, in, out;
};

constexpr Stage stages[] = {{1, 3, 1, 1, 32, 16},  {2, 3, 2, 6, 16, 24},   {2, 5, 2, 6, 24, 40},  {3, 3, 2, 6, 40, 80},
                            {3, 5, 1, 6, 80, 112}, {4, 5, 2, 6, 112, 192}, {1, 3, 1, 6, 192, 320}};

/// A convolution without bias whose result is as large as the input over the stride, rounded up.
struct SameConv {
    at::Tensor weight;
    std::int64_t kernel, stride, groups;

    SameConv(const nn::Scope& weights, std::int64_t in, std::int64_t out, std::int64_t size, std::int64_t step, std::int64_t parts = 1)
        : weight(nn::channels_last(weights.take("weight", {out, in / parts, size, size}))), kernel(size), stride(step), groups(parts) {}

    at::Tensor operator()(const at::Tensor& x) const {
        const auto room = [this](std::int64_t length) {
            return std::max<std::int64_t>(((length + stride - 1) / stride - 1) * stride + kernel - length, 0);
        };
        const std::int64_t down = room(x.size(2)), across = room(x.size(3));
        // What cannot be shared evenly goes to the bottom and the right.
        const at::Tensor padded =
            down + across == 0 ? x : at::constant_pad_nd(x, {across / 2, across - across / 2, down / 2, down - down / 2});
        return at::conv2d(padded, weight, {}, stride, at::IntArrayRef(no_padding), at::IntArrayRef(no_dilation), groups);
    }
};

/// Batch norm with the statistics of training.
struct BatchNorm {
    at::Tensor weight, bias, mean, variance;

    BatchNorm(const nn::Scope& weights, std::int64_t width)
        : weight(weights.take("weight", {width})),
          bias(weights.take("bias", {width})),
          mean(weights.take("running_mean", {width})),
          variance(weights.take("running_var", {width})) {}

    at::Tensor operator()(const at::Tensor& x) const {
        return at::batch_norm(x, weight, bias, mean, variance, /*training=*/false, unused_momentum, batch_norm_eps,
                              /*cudnn_enabled=*/false);
    }
    at::Tensor relu6(const at::Tensor& x) const { return at::relu6((*this)(x)); }
};

/// Widening 1x1 convolution, depthwise convolution, narrowing 1x1 convolution; plus the input where the shape stays.
class Block {
public:
    Block(const nn::Scope& weights, const Stage& stage)
        : adds_input_(stage.stride == 1 && stage.in == stage.out),
          depthwise_conv_(weights / "_depthwise_conv", wide(stage), wide(stage), stage.kernel, stage.stride, wide(stage)),
          bn1_(weights / "_bn1", wide(stage)),
          project_conv_(weights / "_project_conv", wide(stage), stage.out, 1, 1),
          bn2_(weights / "_bn2", stage.out) {
        if (stage.expand == 1) return;
        expand_conv_.emplace(weights / "_expand_conv", stage.in, wide(stage), 1, 1);
        bn0_.emplace(weights / "_bn0", wide(stage));
    }

    at::Tensor operator()(const at::Tensor& x) const {
        at::Tensor hidden = expand_conv_ ? bn0_->relu6((*expand_conv_)(x)) : x;
        hidden = bn2_(project_conv_(bn1_.relu6(depthwise_conv_(hidden))));
        return adds_input_ ? hidden + x : hidden;
    }

private:
    static std::int64_t wide(const Stage& stage) { return stage.in * stage.expand; }

    bool adds_input_;
    std::optional<SameConv> expand_conv_;
    std::optional<BatchNorm> bn0_;
    SameConv depthwise_conv_;
    BatchNorm bn1_;
    SameConv project_conv_;
    BatchNorm bn2_;
};

}  // namespace

struct EfficientNetLite::Network {
    at::Device device;
    SameConv conv_stem;
    BatchNorm bn0;
    std::vector<Block> blocks;
    SameConv conv_head;
    BatchNorm bn1;

    explicit Network(const nn::Scope& weights)
        : device(weights.device()),
          conv_stem(weights / "_conv_stem", 3, stem_width, 3, 2),
          bn0(weights / "_bn0", stem_width),
          conv_head(weights / "_conv_head", std::end(stages)[-1].out, efficientnet_features, 1, 1),
          bn1(weights / "_bn1", efficientnet_features) {
        for (Stage stage : stages) {
            for (std::int64_t i = 0; i < stage.repeats; ++i) {
                blocks.emplace_back(weights / "_blocks" / blocks.size(), stage);
                stage.in = stage.out;
                stage.stride = 1;
            }
        }
    }
};

EfficientNetLite::EfficientNetLite(nn::WeightSource& weights) : network_(std::make_unique<Network>(nn::Scope(weights))) {}
EfficientNetLite::~EfficientNetLite() = default;
EfficientNetLite::EfficientNetLite(EfficientNetLite&&) noexcept = default;

at::Tensor EfficientNetLite::features(const at::Tensor& pixels) const {
    expect_shape(pixels, {-1, 3, -1, -1}, "the feature network's pixels");
    at::Tensor x = network_->bn0.relu6(network_->conv_stem(nn::channels_last(pixels.to(network_->device))));
    for (const Block& block : network_->blocks) x = block(x);
    return network_->bn1.relu6(network_->conv_head(x)).contiguous().cpu();
}

at::Tensor EfficientNetLite::pooled(const at::Tensor& pixels) const { return features(pixels).mean({2, 3}); }

std::string efficientnet_key(const std::string& name) {
    return name.starts_with("_fc.") || name.ends_with(".num_batches_tracked") ? std::string() : name;
}

}  // namespace lcm
