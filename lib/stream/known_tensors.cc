#include "lib/stream/known_tensors.h"

#include <algorithm>
#include <array>

#include "lib/stream/keys.h"

namespace lcm {

namespace {

constexpr std::initializer_list<Dtype> floats{Dtype::F32, Dtype::F16, Dtype::BF16};
constexpr std::initializer_list<Dtype> f32_or_bf16{Dtype::F32, Dtype::BF16};
constexpr std::initializer_list<Dtype> only_f32{Dtype::F32};
constexpr std::initializer_list<Dtype> only_i32{Dtype::I32};
constexpr std::initializer_list<Dtype> only_u8{Dtype::U8};
constexpr std::initializer_list<Dtype> u8_or_f32{Dtype::U8, Dtype::F32};

constexpr std::array<KnownTensor, 20> names{{
    {tensor::latent, 3, floats},
    {tensor::latent_denoised, 3, floats},
    {tensor::latent_init, 3, floats},
    {tensor::latent_mask, 3, floats},
    {tensor::latent_masked, 3, floats},
    {tensor::latent_masked_std, 3, floats},
    {tensor::noise, 3, floats},
    {tensor::text_embeds, 2, floats},
    {tensor::text_pooled, 1, floats},
    {tensor::text_negative_embeds, 2, floats},
    {tensor::text_negative_pooled, 1, floats},
    {tensor::text_ids, 1, only_i32},
    {tensor::text_time_ids, 1, only_f32},
    {tensor::text_negative_time_ids, 1, only_f32},
    {tensor::image_features, 2, floats},
    {tensor::sketch_strokes, 2, only_f32},
    {tensor::sketch_embeds, 2, floats},
    {tensor::image, 3, u8_or_f32},
    {tensor::rng_state, 1, only_u8},
    {tensor::unet_deep, 4, f32_or_bf16},
}};
constexpr std::array<KnownTensor, 2> families{{
    {tensor::control_prefix, 3, u8_or_f32},
    {tensor::sched_prefix, std::nullopt, only_f32},
}};

}  // namespace

const KnownTensor* find_known_tensor(std::string_view name) {
    const auto exact = std::find_if(names.begin(), names.end(), [&](const KnownTensor& known) { return known.name == name; });
    if (exact != names.end()) return exact;
    const auto family =
        std::find_if(families.begin(), families.end(), [&](const KnownTensor& known) { return name.starts_with(known.name); });
    return family == families.end() ? nullptr : family;
}

}  // namespace lcm
