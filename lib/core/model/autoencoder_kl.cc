#include "lib/core/model/autoencoder_kl.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "lib/core/model/autoencoder_kl_parts.h"
#include "lib/core/model/config_reader.h"
#include "lib/core/model/latent_scale.h"

namespace lcm {
namespace {

constexpr double logvar_lowest = -30, logvar_highest = 20;  // DiagonalGaussianDistribution of diffusers

AutoencoderShape read_shape(ConfigReader& reader, const LatentFormat& format) {
    AutoencoderShape shape;
    shape.widths = reader.positive_list("block_out_channels");
    reader.names("down_block_types", shape.widths.size(), {"DownEncoderBlock2D"});
    reader.names("up_block_types", shape.widths.size(), {"UpDecoderBlock2D"});
    reader.only("act_fn", "\"silu\"");
    // The published precision and picture size: the first is the caller's choice, the second no limit.
    reader.ignore({"force_upcast", "sample_size"});
    reader.only("in_channels", std::to_string(pixel_channels));
    reader.only("out_channels", std::to_string(pixel_channels));
    shape.latent_channels = format.channels;
    shape.layers = reader.positive("layers_per_block", 1);
    shape.groups = reader.positive("norm_num_groups", shape.groups);
    shape.attention = reader.flag("mid_block_add_attention", true);
    for (const std::int64_t width : shape.widths) {
        if (width % shape.groups == 0) continue;
        reader.refuse("norm_num_groups", fmt::format("{} groups do not divide {} channels", shape.groups, width));
    }
    return shape;
}

/// What the configuration says.
struct Settings {
    LatentFormat format;
    AutoencoderShape shape;
    LatentScale scale;
    bool quant_conv, post_quant_conv;
};

Settings read_settings(ConfigReader& reader) {
    const LatentFormat format = LatentFormat::read(reader);
    Settings settings{.format = format,
                      .shape = read_shape(reader, format),
                      .scale = LatentScale(reader, format),
                      .quant_conv = reader.flag("use_quant_conv", true),
                      .post_quant_conv = reader.flag("use_post_quant_conv", true)};
    reader.finish();
    return settings;
}

class AutoencoderKL : public VAE {
public:
    AutoencoderKL(const Settings& settings, const VAEHalves& halves, const nn::Scope& weights)
        : VAE(settings.format, halves), scale_(settings.scale) {
        const std::int64_t latent = settings.shape.latent_channels;
        const nn::ConvShape moments{.in = 2 * latent, .out = 2 * latent, .kernel = 1, .padding = 0};
        const nn::ConvShape latents{.in = latent, .out = latent, .kernel = 1, .padding = 0};
        if (halves.encoder) encoder_.emplace(weights / "encoder", settings.shape);
        if (halves.encoder && settings.quant_conv) quant_conv_.emplace(weights / "quant_conv", moments);
        if (halves.decoder) decoder_.emplace(weights / "decoder", settings.shape);
        if (halves.decoder && settings.post_quant_conv) post_quant_conv_.emplace(weights / "post_quant_conv", latents);
    }

    Posterior encode(const at::Tensor& pixels) const override {
        check_pixels(pixels);
        at::Tensor moments = (*encoder_)(nn::channels_last(pixels));
        if (quant_conv_) moments = (*quant_conv_)(moments);
        const std::vector<at::Tensor> halves = moments.chunk(2, 1);
        return {halves[0].contiguous(), halves[1].clamp(logvar_lowest, logvar_highest).contiguous()};
    }

    at::Tensor decode(const at::Tensor& latents) const override {
        check_latents(latents);
        at::Tensor x = nn::channels_last(scale_.unscale(latents));
        if (post_quant_conv_) x = (*post_quant_conv_)(x);
        return (*decoder_)(x).contiguous();
    }

    at::Tensor scale(const at::Tensor& unscaled) const override { return scale_.scale(unscaled); }

private:
    LatentScale scale_;
    std::optional<AutoencoderEncoder> encoder_;
    std::optional<AutoencoderDecoder> decoder_;
    std::optional<nn::Conv2d> quant_conv_, post_quant_conv_;
};

}  // namespace

std::unique_ptr<VAE> make_autoencoder_kl(const Json& config, nn::WeightSource& weights) {
    ConfigReader reader(config);
    const VAEHalves halves =
        find_halves(weights, {"encoder.conv_in.weight", "encoder.conv_out.weight"}, {"decoder.conv_in.weight", "decoder.conv_out.weight"});
    return std::make_unique<AutoencoderKL>(read_settings(reader), halves, nn::Scope(weights));
}

}  // namespace lcm
