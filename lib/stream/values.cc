#include "lib/stream/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/stream/keys.h"
#include "lib/stream/known_tensors.h"

namespace lcm {

namespace {

void check_dtype(std::initializer_list<Dtype> expected, std::string_view tensor_name, Dtype found, const std::string& place) {
    if (std::find(expected.begin(), expected.end(), found) != expected.end()) return;
    std::string wanted;
    for (const Dtype dtype : expected) {
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
        const KnownTensor* known = find_known_tensor(name);
        if (known == nullptr) continue;
        check_dtype(known->dtypes, name, tensor.dtype, record.place);
        if (!nan_pass) check_finite(name, tensor, record.place);
    }
    const auto latent = record.tensors.find(tensor::latent), denoised = record.tensors.find(tensor::latent_denoised);
    if (latent != record.tensors.end() && denoised != record.tensors.end() && latent->second.dtype != denoised->second.dtype)
        check_dtype({latent->second.dtype}, tensor::latent_denoised, denoised->second.dtype, record.place);
}

}  // namespace lcm
