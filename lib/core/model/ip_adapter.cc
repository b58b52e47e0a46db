#include "lib/core/model/ip_adapter.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/core/nn/layers.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

constexpr double layer_norm_eps = 1e-5;

/// Widths of the cross-attention layers of one way through the blocks.
void add_widths(std::vector<std::int64_t>& widths, const UNetConfig& unet, std::size_t level, std::int64_t transformers) {
    const std::int64_t layers = transformers * unet.transformer_layers_per_block[level];
    widths.insert(widths.end(), static_cast<std::size_t>(layers), unet.block_out_channels[level]);
}

/// The cross-attention layers in the order of the file, and how many of them belong to the ways down and up.
struct AttentionLayers {
    std::vector<std::int64_t> widths;
    std::size_t down = 0, up = 0;
};

AttentionLayers attention_layers(const UNetConfig& unet) {
    AttentionLayers layers;
    const std::size_t levels = unet.block_out_channels.size();
    for (std::size_t level = 0; level < levels; ++level)
        if (unet.down_block_types[level] == "CrossAttnDownBlock2D") add_widths(layers.widths, unet, level, unet.layers_per_block[level]);
    layers.down = layers.widths.size();
    for (std::size_t i = 0; i < levels; ++i) {
        const std::size_t level = levels - 1 - i;
        if (unet.up_block_types[i] == "CrossAttnUpBlock2D") add_widths(layers.widths, unet, level, unet.layers_per_block[level] + 1);
    }
    layers.up = layers.widths.size() - layers.down;
    if (unet.mid_block_type == "UNetMidBlock2DCrossAttn") add_widths(layers.widths, unet, levels - 1, 1);
    return layers;
}

}  // namespace

IPAdapterShape IPAdapterShape::of(const WeightFile& file) {
    const auto shape = [&](const char* name, std::size_t rank) -> const std::vector<std::int64_t>& {
        const auto found = file.tensors().find(name);
        if (found == file.tensors().end() || found->second.shape.size() != rank)
            throw Error(ExitCode::data, file.path(), fmt::format("is no IP-Adapter: it has no {} of rank {}", name, rank),
                        "take the basic IP-Adapter; the plus and face ones have another network");
        return found->second.shape;
    };
    const std::vector<std::int64_t>& projection = shape("image_proj.proj.weight", 2);
    IPAdapterShape result{.image_width = projection[1], .context_width = shape("image_proj.norm.weight", 1)[0]};
    if (result.image_width < 1 || result.context_width < 1 || projection[0] < 1 || projection[0] % result.context_width != 0) {
        throw Error(ExitCode::data, tensor_place(file.path(), "image_proj.proj.weight"),
                    fmt::format("{} rows are no whole number of tokens of width {}", projection[0], result.context_width));
    }
    result.tokens = projection[0] / result.context_width;
    return result;
}

void IPAdapterShape::expect_fits(const UNetConfig& unet, const std::string& name) const {
    if (context_width == unet.cross_attention_dim.front()) return;
    throw Error(ExitCode::data, name,
                fmt::format("the IP-Adapter is for text of width {}, the UNet takes {}", context_width, unet.cross_attention_dim.front()),
                "take an adapter that was trained for this family of models");
}

struct IPAdapter::Network {
    struct Layer {
        nn::Linear to_k, to_v;
    };
    at::Device device;
    IPAdapterShape shape;
    nn::Linear proj;
    nn::LayerNorm norm;
    std::vector<Layer> layers;  ///< in the order in which a UNet runs: down, middle, up

    Network(const UNetConfig& unet, const IPAdapterShape& sizes, const nn::Scope& weights)
        : device(weights.device()),
          shape(sizes),
          proj(weights / "image_proj.proj", shape.image_width, shape.tokens * shape.context_width),
          norm(weights / "image_proj.norm", shape.context_width, layer_norm_eps) {
        const AttentionLayers order = attention_layers(unet);
        const auto add = [&](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) {
                const nn::Scope layer = weights / "ip_adapter" / (2 * i + 1);  // the even ones are self-attention
                layers.push_back({nn::Linear(layer / "to_k_ip", shape.context_width, order.widths[i], /*bias=*/false),
                                  nn::Linear(layer / "to_v_ip", shape.context_width, order.widths[i], /*bias=*/false)});
            }
        };
        add(0, order.down);
        add(order.down + order.up, order.widths.size());
        add(order.down, order.down + order.up);
    }
};

IPAdapter::IPAdapter(const UNetConfig& unet, const IPAdapterShape& shape, nn::WeightSource& weights)
    : network_(std::make_unique<Network>(unet, shape, nn::Scope(weights))) {}
IPAdapter::~IPAdapter() = default;
IPAdapter::IPAdapter(IPAdapter&&) noexcept = default;

const IPAdapterShape& IPAdapter::shape() const { return network_->shape; }

at::Tensor IPAdapter::tokens(const at::Tensor& embeds) const {
    expect_shape(embeds, {-1, network_->shape.image_width}, "the image prompt's features");
    const IPAdapterShape& shape = network_->shape;
    const at::Tensor projected = network_->proj(embeds.to(network_->device));
    return network_->norm(projected.reshape({embeds.size(0), shape.tokens, shape.context_width}));
}

std::vector<KeyValue> IPAdapter::keys_values(const at::Tensor& tokens, double scale) const {
    expect_shape(tokens, {-1, -1, network_->shape.context_width}, "the image prompt's tokens");
    std::vector<KeyValue> list;
    for (const Network::Layer& layer : network_->layers) list.push_back({layer.to_k(tokens), layer.to_v(tokens) * scale});
    return list;
}

}  // namespace lcm
