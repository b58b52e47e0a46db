#include "lib/core/bundle/record_check.h"

#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr const char* same_model = "give the model that the record was made with by --model";
constexpr const char* encode_again = "encode the prompt with the model that denoises";
constexpr std::int64_t size_numbers = 6;

}  // namespace

RecordCheck::RecordCheck(const Bundle& bundle)
    : bundle_(bundle),
      latent_(bundle.latent_format()),
      any_scale_(bundle.has(Part::vae) && bundle.config(Part::vae).get("_class_name", "") == "AutoencoderTiny") {
    if (!bundle.has(Part::unet)) return;
    arch_ = bundle.arch();
    unet_ = UNetConfig::from_json(bundle.config(Part::unet));
}

std::string RecordCheck::sha256(Part used) const {
    const bool text = used == Part::text_encoder || used == Part::text_encoder_2;
    return text ? bundle_.text_sha256() : bundle_.sha256(used);
}

void RecordCheck::expect_value(const Record& record, std::string_view key, const std::string& ours) const {
    const std::string* theirs = record.find(key);
    if (theirs == nullptr || *theirs == ours) return;
    throw Error(ExitCode::data, record.place, fmt::format("{} is {} in the record and {} in model {}", key, *theirs, ours, bundle_.name()),
                same_model);
}

void RecordCheck::expect_same_model(const Record& record, Part used) const {
    if (!arch_.empty()) expect_value(record, key::arch, arch_);
    if (used == Part::vae && any_scale_) return;  // a tiny VAE stands in for the one that the record was made with
    const std::string_view hash = used == Part::unet ? key::unet_sha256 : used == Part::vae ? key::vae_sha256 : key::text_sha256;
    if (record.find(hash) != nullptr) expect_value(record, hash, sha256(used));
}

/// A tensor [.., width] with `sides` sides.
void RecordCheck::expect_width(const Record& record, std::string_view name, std::int64_t sides, std::int64_t width) const {
    const auto& shape = record.tensor(name, encode_again).shape;
    const bool fits = static_cast<std::int64_t>(shape.size()) == sides && shape.front() > 0;
    if (fits && shape.back() == width) return;
    const std::string found = fits ? fmt::format("has width {}", shape.back()) : sides == 2 ? "is not [tokens, width]" : "is not [width]";
    throw Error(ExitCode::data, record.place, fmt::format("{} {}, the UNet of model {} takes width {}", name, found, bundle_.name(), width),
                encode_again);
}

void RecordCheck::expect_conditions(const Record& record, bool guided) const {
    if (!unet_) return;
    for (const std::int64_t width : unet_->cross_attention_dim) {
        expect_width(record, tensor::text_embeds, 2, width);
        if (guided) expect_width(record, tensor::text_negative_embeds, 2, width);
    }
    const bool pooled = record.tensors.contains(tensor::text_pooled);
    if (pooled != unet_->text_time) {
        const char* what = pooled ? "the record has pooled text (text.pooled), the UNet of model {} takes none"
                                  : "the UNet of model {} takes pooled text (text.pooled), the record has none";
        throw Error(ExitCode::data, record.place, fmt::format(fmt::runtime(what), bundle_.name()), encode_again);
    }
    if (!pooled) return;
    const std::int64_t pooled_width = unet_->projection_class_embeddings_input_dim - size_numbers * unet_->addition_time_embed_dim;
    expect_width(record, tensor::text_pooled, 1, pooled_width);
    if (guided) expect_width(record, tensor::text_negative_pooled, 1, pooled_width);
}

void RecordCheck::expect_latent(const Record& record) const {
    const std::string* scale = record.find(key::vae_scale);
    const auto number = scale == nullptr ? std::nullopt : parse_number(*scale);
    if (scale != nullptr && !any_scale_ && (!number || *number != latent_.scaling_factor))
        throw Error(ExitCode::data, record.place,
                    fmt::format("{} is {} in the record and {} in {}", key::vae_scale, *scale, format_number(latent_.scaling_factor),
                                bundle_.has(Part::vae) ? bundle_.config(Part::vae).place() : "model " + bundle_.name()),
                    "give the model that made the latent by --model, or a VAE of its family by --vae");
    expect_value(record, key::layout, std::string(value::chw));
    const auto found = record.tensors.find(tensor::latent);
    if (found == record.tensors.end()) return;
    const auto& shape = found->second.shape;
    if (shape.size() == 3 && shape.front() == latent_.channels) return;
    throw Error(ExitCode::data, record.place,
                fmt::format("{} is [{}], latents of model {} are [{},height,width]", tensor::latent, fmt::join(shape, ","), bundle_.name(),
                            latent_.channels),
                same_model);
}

}  // namespace lcm
