#include "lib/core/model/t2i_adapter.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/pixel_unshuffle.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

#include "lib/base/error.h"
#include "lib/core/model/config_reader.h"
#include "lib/core/nn/layers.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

/// AdapterResnetBlock: 3x3 convolution, ReLU, 1x1 convolution, plus the input.
class AdapterResnet {
public:
    AdapterResnet(const nn::Scope& weights, std::int64_t width)
        : block1_(weights / "block1", {.in = width, .out = width}),
          block2_(weights / "block2", {.in = width, .out = width, .kernel = 1, .padding = 0}) {}

    at::Tensor operator()(const at::Tensor& x) const {
        nn::Epilogue relu;
        relu.activation = nn::Activation::relu;
        return block2_(block1_(x, relu), nn::adding(x));
    }

private:
    nn::Conv2d block1_, block2_;
};

/// AdapterBlock: means of 2x2, a 1x1 convolution where the width changes, resnets.
class AdapterLevel {
public:
    AdapterLevel(const nn::Scope& weights, std::int64_t in, std::int64_t out, std::int64_t count, bool halve) : halve_(halve) {
        if (in != out) in_conv_.emplace(weights / "in_conv", nn::ConvShape{.in = in, .out = out, .kernel = 1, .padding = 0});
        for (std::int64_t i = 0; i < count; ++i) resnets_.emplace_back(weights / "resnets" / i, out);
    }

    at::Tensor operator()(at::Tensor x) const {
        if (halve_) x = at::avg_pool2d(x, {2, 2}, {2, 2}, {0, 0}, /*ceil_mode=*/true);
        if (in_conv_) x = (*in_conv_)(x);
        for (const AdapterResnet& resnet : resnets_) x = resnet(x);
        return x;
    }

private:
    bool halve_;
    std::optional<nn::Conv2d> in_conv_;
    std::vector<AdapterResnet> resnets_;
};

}  // namespace

T2IAdapterConfig T2IAdapterConfig::from_json(const Json& json) {
    ConfigReader reader(json);
    T2IAdapterConfig config;
    reader.only("adapter_type", "\"full_adapter\"");
    config.channels = reader.positive_list("channels");
    config.in_channels = reader.positive("in_channels", config.in_channels);
    config.num_res_blocks = reader.positive("num_res_blocks", config.num_res_blocks);
    config.downscale_factor = reader.positive("downscale_factor", config.downscale_factor);
    reader.finish();
    return config;
}

void T2IAdapterConfig::expect_fits(const UNetConfig& unet, const std::string& name) const {
    if (channels == unet.block_out_channels) return;
    throw Error(ExitCode::data, name, fmt::format("the T2I-Adapter has widths {}, the UNet {}", channels, unet.block_out_channels),
                "take an adapter that was trained for this family of models");
}

struct T2IAdapter::Network {
    at::Device device;
    T2IAdapterConfig config;
    nn::Conv2d conv_in;
    std::vector<AdapterLevel> levels;

    Network(const T2IAdapterConfig& settings, const nn::Scope& weights)
        : device(weights.device()),
          config(settings),
          conv_in(weights / "conv_in",
                  {.in = config.in_channels * config.downscale_factor * config.downscale_factor, .out = config.channels.front()}) {
        for (std::size_t i = 0; i < config.channels.size(); ++i)
            levels.emplace_back(weights / "body" / i, config.channels[i == 0 ? 0 : i - 1], config.channels[i], config.num_res_blocks,
                                i > 0);
    }
};

T2IAdapter::T2IAdapter(const T2IAdapterConfig& config, nn::WeightSource& weights)
    : network_(std::make_unique<Network>(config, nn::Scope(weights) / "adapter")) {}
T2IAdapter::~T2IAdapter() = default;
T2IAdapter::T2IAdapter(T2IAdapter&&) noexcept = default;

std::vector<at::Tensor> T2IAdapter::forward(const at::Tensor& map) const {
    const std::int64_t factor = network_->config.downscale_factor;
    expect_shape(map, {-1, network_->config.in_channels, -1, -1}, "the control map");
    if (map.size(2) % factor != 0 || map.size(3) % factor != 0) {
        throw Error(ExitCode::data, "",
                    fmt::format("the control map of {}x{} has a side that is no multiple of {}", map.size(3), map.size(2), factor));
    }
    at::Tensor x = network_->conv_in(nn::channels_last(at::pixel_unshuffle(map.to(network_->device), factor)));
    std::vector<at::Tensor> states;
    for (const AdapterLevel& level : network_->levels) states.push_back(x = level(x));
    return states;
}

const T2IAdapterConfig& T2IAdapter::config() const { return network_->config; }

}  // namespace lcm
