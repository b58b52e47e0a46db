#include "lib/core/model/autoencoder_tiny.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <optional>
#include <vector>

#include "lib/core/model/config_reader.h"
#include "lib/core/model/latent_scale.h"
#include "lib/core/nn/layers.h"

namespace lcm {
namespace {

constexpr double latent_magnitude = 3;  // the decoder's clamp: tanh(z / 3) * 3

struct TinyShape {
    LatentFormat format;
    std::int64_t encoder_width = 0, decoder_width = 0;
    std::vector<std::int64_t> encoder_blocks, decoder_blocks;  ///< blocks a level: the encoder begins, the decoder ends at the full size
};

/// AutoencoderTinyBlock: three convolutions, plus the input, ReLU.
class TinyBlock {
public:
    TinyBlock(const nn::Scope& weights, std::int64_t width)
        : conv0_(weights / "conv.0", {.in = width, .out = width}),
          conv2_(weights / "conv.2", {.in = width, .out = width}),
          conv4_(weights / "conv.4", {.in = width, .out = width}) {}

    at::Tensor operator()(const at::Tensor& x) const {
        nn::Epilogue relu;
        relu.activation = nn::Activation::relu;
        return nn::activate(conv4_(conv2_(conv0_(x, relu), relu), nn::adding(x)), nn::Activation::relu);
    }

private:
    nn::Conv2d conv0_, conv2_, conv4_;
};

/// The blocks of one size and the convolution before (encoder) or behind them (decoder).
struct TinyLevel {
    nn::Conv2d conv;
    std::vector<TinyBlock> blocks;
};

/// Hands out the members of diffusers' flat list `layers.N` in order; activations and upsamplers are counted in it too.
class LayerList {
public:
    explicit LayerList(const nn::Scope& weights) : weights_(weights / "layers") {}

    nn::Scope next() { return weights_ / index_++; }
    void skip() { ++index_; }
    std::vector<TinyBlock> blocks(std::int64_t count, std::int64_t width) {
        std::vector<TinyBlock> list;
        for (std::int64_t i = 0; i < count; ++i) list.emplace_back(next(), width);
        return list;
    }

private:
    nn::Scope weights_;
    std::size_t index_ = 0;
};

std::vector<TinyLevel> encoder_levels(LayerList& layers, const TinyShape& shape) {
    const std::int64_t width = shape.encoder_width;
    std::vector<TinyLevel> levels;
    for (const std::int64_t count : shape.encoder_blocks) {
        const nn::ConvShape first{.in = pixel_channels, .out = width}, halving{.in = width, .out = width, .stride = 2, .bias = false};
        nn::Conv2d conv(layers.next(), levels.empty() ? first : halving);
        levels.push_back({std::move(conv), layers.blocks(count, width)});
    }
    return levels;
}

std::vector<TinyLevel> decoder_levels(LayerList& layers, const TinyShape& shape) {
    const std::int64_t width = shape.decoder_width;
    std::vector<TinyLevel> levels;
    layers.skip();  // the activation behind the first convolution
    for (const std::int64_t count : shape.decoder_blocks) {
        const bool last = levels.size() + 1 == shape.decoder_blocks.size();
        std::vector<TinyBlock> blocks = layers.blocks(count, width);
        if (!last) layers.skip();  // the upsampler
        nn::Conv2d conv(layers.next(), {.in = width, .out = last ? pixel_channels : width, .bias = last});
        levels.push_back({std::move(conv), std::move(blocks)});
    }
    return levels;
}

class AutoencoderTiny : public VAE {
public:
    AutoencoderTiny(const TinyShape& shape, const LatentScale& scale, const VAEHalves& halves, const nn::Scope& weights)
        : VAE(shape.format, halves), scale_(scale) {
        if (halves.encoder) {
            LayerList layers(weights / "encoder");
            encoder_ = encoder_levels(layers, shape);
            encoder_out_.emplace(layers.next(), nn::ConvShape{.in = shape.encoder_width, .out = shape.format.channels});
        }
        if (halves.decoder) {
            LayerList layers(weights / "decoder");
            decoder_in_.emplace(layers.next(), nn::ConvShape{.in = shape.format.channels, .out = shape.decoder_width});
            decoder_ = decoder_levels(layers, shape);
        }
    }

    Posterior encode(const at::Tensor& pixels) const override {
        check_pixels(pixels);
        at::Tensor x = nn::channels_last(pixels.add(1).div(2));
        for (const TinyLevel& level : encoder_) {
            x = level.conv(x);
            for (const TinyBlock& block : level.blocks) x = block(x);
        }
        return {.mean = (*encoder_out_)(x).contiguous(), .logvar = {}};
    }

    at::Tensor decode(const at::Tensor& latents) const override {
        check_latents(latents);
        nn::Epilogue relu;
        relu.activation = nn::Activation::relu;
        const at::Tensor clamped = nn::activate(scale_.unscale(latents) / latent_magnitude, nn::Activation::tanh) * latent_magnitude;
        at::Tensor x = (*decoder_in_)(nn::channels_last(clamped), relu);
        for (const TinyLevel& level : decoder_) {
            for (const TinyBlock& block : level.blocks) x = block(x);
            if (&level != &decoder_.back()) x = nn::upsample_nearest(x, 2 * x.size(2), 2 * x.size(3));
            x = level.conv(x);
        }
        return x.mul(2).sub(1).contiguous();
    }

    at::Tensor scale(const at::Tensor& unscaled) const override { return scale_.scale(unscaled); }

private:
    LatentScale scale_;
    std::vector<TinyLevel> encoder_, decoder_;
    std::optional<nn::Conv2d> encoder_out_, decoder_in_;
};

/// The one width of all levels: the reference's layers do not fit together otherwise.
std::int64_t common_width(ConfigReader& reader, const char* key, std::size_t levels) {
    const std::vector<std::int64_t> widths = reader.positive_list(key);
    if (widths.size() != levels) reader.refuse(key, fmt::format("{} widths for {} levels", widths.size(), levels));
    for (const std::int64_t width : widths)
        if (width != widths.front()) reader.refuse(key, "widths that differ by level are not implemented");
    return widths.front();
}

TinyShape read_shape(ConfigReader& reader) {
    reader.only("act_fn", "\"relu\"");
    reader.only("upsample_fn", "\"nearest\"");
    reader.only("upsampling_scaling_factor", "2");
    reader.only("in_channels", std::to_string(pixel_channels));
    reader.only("out_channels", std::to_string(pixel_channels));
    // A copy of the decoder's widths, the caller's choice of precision, and what only the 8-bit form of latents uses.
    reader.ignore({"block_out_channels", "force_upcast", "latent_magnitude", "latent_shift"});
    TinyShape shape;
    shape.format = LatentFormat::read(reader);
    shape.encoder_blocks = reader.positive_list("num_encoder_blocks");
    shape.decoder_blocks = reader.positive_list("num_decoder_blocks");
    if (shape.encoder_blocks.size() != shape.decoder_blocks.size()) {
        reader.refuse("num_decoder_blocks",
                      fmt::format("{} levels, but the encoder has {}", shape.decoder_blocks.size(), shape.encoder_blocks.size()));
    }
    shape.encoder_width = common_width(reader, "encoder_block_out_channels", shape.encoder_blocks.size());
    shape.decoder_width = common_width(reader, "decoder_block_out_channels", shape.decoder_blocks.size());
    return shape;
}

}  // namespace

std::unique_ptr<VAE> make_autoencoder_tiny(const Json& config, nn::WeightSource& weights) {
    ConfigReader reader(config);
    const TinyShape shape = read_shape(reader);
    const LatentScale scale(reader, shape.format);
    reader.finish();
    const nn::Scope scope(weights);
    const VAEHalves halves = find_halves(weights, {"encoder.layers.0.weight", "encoder.layers.1.conv.0.weight"},
                                         {"decoder.layers.0.weight", "decoder.layers.2.conv.0.weight"});
    return std::make_unique<AutoencoderTiny>(shape, scale, halves, scope);
}

}  // namespace lcm
