#include "lib/core/tensor/convert.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstring>
#include <utility>

#include "lib/base/error.h"

namespace lcm {

namespace {

constexpr std::array<std::pair<Dtype, at::ScalarType>, 19> type_pairs{{
    {Dtype::BOOL, at::kBool},
    {Dtype::U8, at::kByte},
    {Dtype::I8, at::kChar},
    {Dtype::F8_E5M2, at::kFloat8_e5m2},
    {Dtype::F8_E4M3, at::kFloat8_e4m3fn},
    {Dtype::F8_E8M0, at::ScalarType::Float8_e8m0fnu},
    {Dtype::F8_E4M3FNUZ, at::kFloat8_e4m3fnuz},
    {Dtype::F8_E5M2FNUZ, at::kFloat8_e5m2fnuz},
    {Dtype::I16, at::kShort},
    {Dtype::U16, at::kUInt16},
    {Dtype::F16, at::kHalf},
    {Dtype::BF16, at::kBFloat16},
    {Dtype::I32, at::kInt},
    {Dtype::U32, at::kUInt32},
    {Dtype::F32, at::kFloat},
    {Dtype::I64, at::kLong},
    {Dtype::U64, at::kUInt64},
    {Dtype::F64, at::kDouble},
    {Dtype::C64, at::kComplexFloat},
}};

/// The index of element `flat` of a row-major tensor, one number a dimension.
std::vector<std::int64_t> unravel(std::int64_t flat, at::IntArrayRef shape) {
    std::vector<std::int64_t> index(shape.size());
    for (std::size_t dim = shape.size(); dim-- > 0;) {
        index[dim] = flat % shape[dim];
        flat /= shape[dim];
    }
    return index;
}

}  // namespace

at::ScalarType scalar_type(Dtype dtype) {
    for (const auto& [ours, theirs] : type_pairs)
        if (ours == dtype) return theirs;
    throw Error(ExitCode::data, "", fmt::format("dtype {} is not computed with", name(dtype)), "store the tensor as F32, F16 or BF16");
}

Dtype dtype_of(at::ScalarType type) {
    for (const auto& [ours, theirs] : type_pairs)
        if (theirs == type) return ours;
    throw Error(ExitCode::software, "", fmt::format("libtorch type {} has no safetensors dtype", c10::toString(type)));
}

at::Tensor to_torch(const TensorBytes& bytes) {
    const auto options = at::TensorOptions().dtype(scalar_type(bytes.dtype));
    const std::size_t element = bits(bytes.dtype) / 8;
    void* data = const_cast<std::byte*>(bytes.data.data());
    if (reinterpret_cast<std::uintptr_t>(data) % element != 0) {
        at::Tensor copy = at::empty(bytes.shape, options);
        std::memcpy(copy.mutable_data_ptr(), data, bytes.data.size());
        return copy;
    }
    if (bytes.data.empty()) return at::empty(bytes.shape, options);
    return at::from_blob(data, bytes.shape, [owner = bytes.owner](void*) {}, options);
}

TensorBytes from_torch(const at::Tensor& tensor) {
    const at::Tensor rows = tensor.detach().cpu().contiguous();
    const auto* begin = static_cast<const std::byte*>(rows.const_data_ptr());
    // The record owns its bytes: a tensor may be written to later.
    Bytes data(begin, begin + rows.nbytes());
    return make_tensor(dtype_of(rows.scalar_type()), rows.sizes().vec(), std::move(data));
}

void expect_shape(const at::Tensor& tensor, at::IntArrayRef expected, std::string_view what) {
    bool fits = tensor.defined() && tensor.sizes().size() == expected.size();
    for (std::size_t dim = 0; fits && dim < expected.size(); ++dim) {
        const std::int64_t size = tensor.sizes()[dim];
        fits = expected[dim] == -1 ? size > 0 : size == expected[dim];
    }
    if (fits) return;
    const std::string found = tensor.defined() ? fmt::format("[{}]", fmt::join(tensor.sizes(), ",")) : "absent";
    std::vector<std::string> wanted;
    for (const std::int64_t size : expected) wanted.push_back(size == -1 ? "*" : std::to_string(size));
    throw Error(ExitCode::data, "", fmt::format("{} is {}, expected [{}]", what, found, fmt::join(wanted, ",")));
}

void expect_finite(const at::Tensor& tensor, std::string_view what) {
    const at::Tensor finite = at::isfinite(tensor.detach().cpu()).contiguous().reshape({-1});
    const bool* flags = finite.const_data_ptr<bool>();
    for (std::int64_t i = 0; i < finite.numel(); ++i) {
        if (flags[i]) continue;
        const auto index = unravel(i, tensor.sizes());
        const double value = tensor.detach().cpu().reshape({-1}).select(0, i).item().toDouble();
        throw Error(ExitCode::data, "", fmt::format("{} is {} at [{}]", what, value, fmt::join(index, ",")),
                    "check the model and the precision it ran in");
    }
}

}  // namespace lcm
