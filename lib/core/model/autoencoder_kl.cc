#include "lib/core/model/autoencoder_kl.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "lib/core/model/autoencoder_kl_parts.h"
#include "lib/core/model/config_reader.h"
#include "lib/core/model/latent_scale.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

constexpr double default_scaling_factor = 0.18215;
constexpr double logvar_lowest = -30, logvar_highest = 20;  // DiagonalGaussianDistribution of diffusers

AutoencoderShape read_shape(ConfigReader& reader) {
    AutoencoderShape shape;
    shape.widths = reader.positive_list("block_out_channels");
    reader.names("down_block_types", shape.widths.size(), {"DownEncoderBlock2D"});
    reader.names("up_block_types", shape.widths.size(), {"UpDecoderBlock2D"});
    reader.only("act_fn", "\"silu\"");
    // The published precision and picture size: the first is the caller's choice, the second no limit.
    reader.ignore({"force_upcast", "sample_size"});
    reader.only("in_channels", std::to_string(pixel_channels));
    reader.only("out_channels", std::to_string(pixel_channels));
    shape.latent_channels = reader.positive("latent_channels", shape.latent_channels);
    shape.layers = reader.positive("layers_per_block", 1);
    shape.groups = reader.positive("norm_num_groups", shape.groups);
    shape.attention = reader.flag("mid_block_add_attention", true);
    for (const std::int64_t width : shape.widths) {
        if (width % shape.groups != 0) reader.refuse("norm_num_groups", fmt::format("{} groups do not divide {} channels", shape.groups, width));
    }
    return shape;
}

class AutoencoderKL : public VAE {
public:
    AutoencoderKL(const AutoencoderShape& shape, const LatentScale& scale, bool quant, bool post_quant, const nn::Scope& weights)
        : shape_(shape), scale_(scale), encoder_(weights / "encoder", shape), decoder_(weights / "decoder", shape) {
        const std::int64_t latent = shape.latent_channels;
        if (quant) quant_conv_.emplace(weights / "quant_conv", nn::ConvShape{.in = 2 * latent, .out = 2 * latent, .kernel = 1, .padding = 0});
        if (post_quant) post_quant_conv_.emplace(weights / "post_quant_conv", nn::ConvShape{.in = latent, .out = latent, .kernel = 1, .padding = 0});
    }

    Posterior encode(const at::Tensor& pixels) const override {
        check_pixels(pixels);
        at::Tensor moments = encoder_(nn::channels_last(pixels));
        if (quant_conv_) moments = (*quant_conv_)(moments);
        const std::vector<at::Tensor> halves = moments.chunk(2, 1);
        return {halves[0].contiguous(), halves[1].clamp(logvar_lowest, logvar_highest).contiguous()};
    }

    at::Tensor decode(const at::Tensor& latents) const override {
        expect_shape(latents, {-1, shape_.latent_channels, -1, -1}, "the VAE's latents");
        at::Tensor x = nn::channels_last(scale_.unscale(latents));
        if (post_quant_conv_) x = (*post_quant_conv_)(x);
        return decoder_(x).contiguous();
    }

    at::Tensor scale(const at::Tensor& unscaled) const override { return scale_.scale(unscaled); }
    double scaling_factor() const override { return scale_.factor(); }
    std::int64_t latent_channels() const override { return shape_.latent_channels; }
    std::int64_t factor() const override { return std::int64_t{1} << (shape_.widths.size() - 1); }

private:
    AutoencoderShape shape_;
    LatentScale scale_;
    AutoencoderEncoder encoder_;
    AutoencoderDecoder decoder_;
    std::optional<nn::Conv2d> quant_conv_, post_quant_conv_;
};

}  // namespace

std::unique_ptr<VAE> make_autoencoder_kl(const Json& config, nn::WeightSource& weights) {
    ConfigReader reader(config);
    const AutoencoderShape shape = read_shape(reader);
    const LatentScale scale(reader, shape.latent_channels, default_scaling_factor);
    const bool quant = reader.flag("use_quant_conv", true), post_quant = reader.flag("use_post_quant_conv", true);
    reader.finish();
    return std::make_unique<AutoencoderKL>(shape, scale, quant, post_quant, nn::Scope(weights));
}

}  // namespace lcm
