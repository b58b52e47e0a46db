#include "lib/input/image/image_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/resource_limits.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/tensor/device.h"
#include "lib/core/tensor/noise.h"
#include "lib/core/tensor/picture.h"
#include "lib/input/image/control_map.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

/// IPTC's digital source type of a picture into which a photo or a drawing went.
constexpr const char* made_from_a_picture = "compositeWithTrainedAlgorithmicMedia";
constexpr const char* generator_name = "torch-cpu";

void put(Record& record, std::string_view name, const at::Tensor& tensor) {
    record.tensors.insert_or_assign(std::string(name), from_torch(tensor));
}

/// The pixels as bytes [C,H,W].
TensorBytes planes_of(const Image& image) {
    const auto channels = static_cast<std::size_t>(image.channels);
    Bytes bytes;
    for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t i = c; i < image.pixels.size(); i += channels) bytes.push_back(std::byte{image.pixels[i]});
    return make_tensor(Dtype::U8, {image.channels, image.height, image.width}, std::move(bytes));
}

void expect_not_begun(const Record& record) {
    if (record.find(key::step) == nullptr && !record.tensors.contains(tensor::latent)) return;
    throw Error(ExitCode::data, record.place, fmt::format("has {} already: its picture is begun", tensor::latent),
                "add pictures to the records of lcm-encode");
}

std::optional<ImageSize> recorded_size(const Record& record) {
    const std::string* text = record.find(key::size);
    if (!text) return std::nullopt;
    if (const auto size = parse_image_size(*text)) return size;
    throw Error(ExitCode::data, record.place, fmt::format("{} is not WIDTHxHEIGHT", key::size), "make the record again");
}

}  // namespace

ImageSize encoded_size(const Picture& picture, const Record& record, const ImageSettings& settings, std::int64_t factor) {
    const int side = static_cast<int>(factor), width = picture.image.width, height = picture.image.height;
    const std::optional<ImageSize> recorded = recorded_size(record);
    const std::optional<ImageSize> given = settings.size ? settings.size : recorded;
    if (!given) {
        if (width >= side && height >= side) return {width - width % side, height - height % side};
        throw Error(ExitCode::data, picture.place,
                    fmt::format("is {}x{}, smaller than one latent of {}x{} pixels", width, height, side, side),
                    "give a larger picture, or --size");
    }
    if (recorded && *recorded != *given)
        throw Error(ExitCode::data, record.place,
                    fmt::format("{} is {}, and --size {}", key::size, format_image_size(*recorded), format_image_size(*given)),
                    "leave it out");
    if (given->width < 1 || given->height < 1 || given->width % side != 0 || given->height % side != 0)
        throw Error(recorded ? ExitCode::data : ExitCode::usage, recorded ? record.place : "--size",
                    fmt::format("a picture of {} is not possible", format_image_size(*given)),
                    fmt::format("width and height must be positive multiples of {}", side));
    expect_picture_size(given->width, given->height, recorded ? record.place : "--size");
    return *given;
}

ImageEncoder::ImageEncoder(const Bundle& bundle, ImageSettings settings)
    : name_(bundle.name()), device_(bundle.device()), check_(bundle), settings_(std::move(settings)) {
    if (settings_.latent) vae_ = bundle.vae(VAEUse::encode);
    if (!bundle.has(Part::unet)) return;
    const UNetConfig unet = UNetConfig::from_json(bundle.config(Part::unet));
    inpainting_ = unet.in_channels > unet.out_channels;
}

void ImageEncoder::set_picture(Picture picture) {
    if (const auto& mask = picture.mask; mask && (mask->width != picture.image.width || mask->height != picture.image.height)) {
        throw Error(ExitCode::data, picture.mask_place,
                    fmt::format("is {}x{}, and the picture {} is {}x{}", mask->width, mask->height, picture.place, picture.image.width,
                                picture.image.height),
                    "give a mask of the picture's own size");
    }
    picture_ = std::move(picture);
}

void ImageEncoder::add_latent(Record& record, const Image& image) {
    const Posterior posterior = vae_->encode(to_torch(to_signed(image)));
    at::Tensor latent = posterior.mean;
    if (settings_.sample && posterior.logvar.defined()) {
        NoiseGenerator noise(picture_.seed);
        latent = latent + at::exp(posterior.logvar * 0.5) * noise.normal(latent.sizes());
        record.tensors.insert_or_assign(std::string(tensor::rng_state), noise.state());
        record.set(key::seed, std::to_string(noise.seed()));
        record.set(key::rng, generator_name);
        record.set(key::rng_draws, std::to_string(noise.draws()));
    }
    const at::Tensor scaled = vae_->scale(latent).squeeze(0);
    expect_finite(scaled, fmt::format("{}: {}", picture_.place, tensor::latent_init));
    put(record, tensor::latent_init, scaled);
    // The file of an encoder alone has another hash than that of its decoder, which goes on from here.
    if (vae_->halves().decoder) record.set(key::vae_sha256, check_.sha256(Part::vae));
    if (!check_.any_scale()) record.set(key::vae_scale, format_number(check_.latent().scaling_factor));
    record.set(key::latent_space, std::string(value::scaled_space));
    record.set(key::layout, std::string(value::chw));
}

void ImageEncoder::add_mask(Record& record, const FloatImage& mask) const {
    put(record, tensor::latent_mask, to_torch(latent_mask(mask, static_cast<int>(check_.latent().factor))).squeeze(0));
}

/// The picture, grey where it is drawn anew. Its draw comes behind the start noise, which is not known here: the deviation goes along.
void ImageEncoder::add_masked(Record& record, const Image& image, const FloatImage& mask) const {
    const Posterior posterior = vae_->encode(to_torch(to_signed(image)) * (1 - to_torch(mask)));
    const at::Tensor scaled = vae_->scale(posterior.mean);
    expect_finite(scaled, fmt::format("{}: {}", picture_.place, tensor::latent_masked));
    put(record, tensor::latent_masked, scaled.squeeze(0));
    if (!settings_.sample || !posterior.logvar.defined()) return;
    const at::Tensor deviation = at::exp(posterior.logvar * 0.5);
    put(record, tensor::latent_masked_std, (vae_->scale(deviation) - vae_->scale(at::zeros_like(deviation))).squeeze(0));
}

void ImageEncoder::add_maps(Record& record, const Image& image) const {
    const auto add = [&](const std::string& name, const Image& map) {
        record.tensors.insert_or_assign(fmt::format("{}{}", tensor::control_prefix, name), planes_of(map));
    };
    for (const std::string& name : settings_.drawn_maps) add(name, draw_map(name, image));
    for (const std::string& name : settings_.given_maps) add(name, image);
}

void ImageEncoder::add_fitted(Record& record) {
    const ImageSize size = encoded_size(picture_, record, settings_, check_.latent().factor);
    const bool given = settings_.size || record.find(key::size);
    const Fit fit = settings_.fit.value_or(given ? Fit::crop : Fit::stretch);
    const Image image = fit_to(picture_.image, size.width, size.height, fit);
    if (settings_.latent) add_latent(record, image);
    if (settings_.latent && picture_.mask) {
        const FloatImage mask = repaint_mask(*picture_.mask, size, fit);
        add_mask(record, mask);
        if (inpainting_) add_masked(record, image, mask);
    }
    add_maps(record, image);
    record.set(key::size, format_image_size(size));
}

void ImageEncoder::enrich(Record& record) {
    const c10::InferenceMode no_gradients;
    expect_not_begun(record);
    check_.expect_same_model(record, Part::vae);
    if (settings_.latent || !settings_.drawn_maps.empty() || !settings_.given_maps.empty()) add_fitted(record);
    if (settings_.features) put(record, tensor::image_features, (*settings_.features)(picture_.image));
    if (record.find(key::kind) == nullptr) record.set(key::kind, std::string(kind::cond));
    if (!check_.arch().empty()) record.set(key::arch, check_.arch());
    record.set(key::model, name_);
    sign_device(record, device_);
    record.set(key::source, made_from_a_picture);
}

}  // namespace lcm
