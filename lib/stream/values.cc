#include "lib/stream/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/stream/keys.h"

namespace lcm {

namespace {

struct Known {
    std::string_view name;
    std::initializer_list<Dtype> dtypes;
};

constexpr std::initializer_list<Dtype> floats{Dtype::F32, Dtype::F16, Dtype::BF16};
constexpr std::initializer_list<Dtype> only_f32{Dtype::F32};
constexpr std::initializer_list<Dtype> only_i32{Dtype::I32};
constexpr std::initializer_list<Dtype> only_u8{Dtype::U8};
constexpr std::initializer_list<Dtype> u8_or_f32{Dtype::U8, Dtype::F32};

constexpr std::array<Known, 17> known_names{{
    {tensor::latent, floats},
    {tensor::latent_denoised, floats},
    {tensor::latent_init, floats},
    {tensor::latent_mask, floats},
    {tensor::noise, floats},
    {tensor::text_embeds, floats},
    {tensor::text_pooled, floats},
    {tensor::text_negative_embeds, floats},
    {tensor::text_negative_pooled, floats},
    {tensor::text_ids, only_i32},
    {tensor::text_time_ids, only_f32},
    {tensor::text_negative_time_ids, only_f32},
    {tensor::image_features, floats},
    {tensor::sketch_strokes, only_f32},
    {tensor::sketch_embeds, floats},
    {tensor::image, u8_or_f32},
    {tensor::rng_state, only_u8},
}};
constexpr std::array<Known, 2> known_prefixes{{{tensor::control_prefix, u8_or_f32}, {tensor::sched_prefix, only_f32}}};

const Known* find_known(std::string_view name) {
    const auto exact = std::find_if(known_names.begin(), known_names.end(), [&](const Known& known) { return known.name == name; });
    if (exact != known_names.end()) return exact;
    const auto family =
        std::find_if(known_prefixes.begin(), known_prefixes.end(), [&](const Known& known) { return name.starts_with(known.name); });
    return family == known_prefixes.end() ? nullptr : family;
}

void check_dtype(const Known& known, std::string_view tensor_name, Dtype found, const std::string& place) {
    if (std::find(known.dtypes.begin(), known.dtypes.end(), found) != known.dtypes.end()) return;
    std::string wanted;
    for (const Dtype dtype : known.dtypes) {
        wanted += wanted.empty() ? "" : " or ";
        wanted += name(dtype);
    }
    throw Error(ExitCode::data, place, fmt::format("tensor {}: expected {}, found {}", json_quote(tensor_name), wanted, name(found)));
}

// The index of the first element whose exponent bits are all ones. Whole blocks are tested without a branch, which vectorizes.
template <typename Word>
std::optional<std::size_t> first_nonfinite(std::span<const std::byte> data, Word exponent) {
    constexpr std::size_t block = 1024;
    Word words[block];  // a copy, since tensors need not be aligned
    for (std::size_t begin = 0; begin < data.size(); begin += sizeof words) {
        const std::span<const std::byte> bytes = data.subspan(begin, std::min(sizeof words, data.size() - begin));
        const std::size_t count = bytes.size() / sizeof(Word);
        std::memcpy(words, bytes.data(), bytes.size());
        unsigned any = 0;
        for (std::size_t i = 0; i < count; ++i) any |= (words[i] & exponent) == exponent;
        if (any != 0) {
            const Word* found = std::find_if(words, words + count, [&](Word word) { return (word & exponent) == exponent; });
            return begin / sizeof(Word) + static_cast<std::size_t>(found - words);
        }
    }
    return std::nullopt;
}

std::optional<std::size_t> first_nonfinite(const TensorBytes& tensor) {
    switch (tensor.dtype) {
        case Dtype::F32:
            return first_nonfinite<std::uint32_t>(tensor.data, 0x7F80'0000);
        case Dtype::F16:
            return first_nonfinite<std::uint16_t>(tensor.data, 0x7C00);
        case Dtype::BF16:
            return first_nonfinite<std::uint16_t>(tensor.data, 0x7F80);
        default:
            return std::nullopt;
    }
}

void check_bool(std::string_view name, const TensorBytes& tensor, const std::string& place) {
    const auto bad = std::find_if(tensor.data.begin(), tensor.data.end(), [](std::byte byte) { return byte > std::byte{1}; });
    if (bad != tensor.data.end()) {
        throw Error(
            ExitCode::data, place,
            fmt::format("tensor {}: the BOOL at index {} is {}", json_quote(name), bad - tensor.data.begin(), static_cast<unsigned>(*bad)));
    }
}

void check_finite(std::string_view name, const TensorBytes& tensor, const std::string& place) {
    if (const auto index = first_nonfinite(tensor))
        throw Error(ExitCode::data, place, fmt::format("tensor {}: the value at index {} is NaN or infinite", json_quote(name), *index));
}

}  // namespace

void check_values(const Record& record, bool nan_pass) {
    for (const auto& [name, tensor] : record.tensors) {
        if (tensor.dtype == Dtype::BOOL) check_bool(name, tensor, record.place);
        const Known* known = find_known(name);
        if (known == nullptr) continue;
        check_dtype(*known, name, tensor.dtype, record.place);
        if (!nan_pass) check_finite(name, tensor, record.place);
    }
    const auto latent = record.tensors.find(tensor::latent), denoised = record.tensors.find(tensor::latent_denoised);
    if (latent != record.tensors.end() && denoised != record.tensors.end() && latent->second.dtype != denoised->second.dtype)
        check_dtype({tensor::latent_denoised, {latent->second.dtype}}, tensor::latent_denoised, denoised->second.dtype, record.place);
}

}  // namespace lcm
