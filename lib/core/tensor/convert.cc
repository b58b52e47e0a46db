#include "lib/core/tensor/convert.h"

#include <ATen/Dispatch.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/sum.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
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

/// Refuses the first element of `tensor` whose flag is false.
void expect_all(const at::Tensor& flags, const at::Tensor& tensor, std::string_view what, std::string_view wanted) {
    const at::Tensor rows = flags.cpu().contiguous();
    const bool* begin = rows.const_data_ptr<bool>();
    const bool* end = begin + rows.numel();
    const bool* bad = std::find(begin, end, false);
    if (bad == end) return;
    const std::int64_t flat = bad - begin;
    const double value = tensor.detach().cpu().reshape({-1}).select(0, flat).item().toDouble();
    throw Error(ExitCode::data, "",
                fmt::format("{} is {:.6g} at [{}], {}", what, value, fmt::join(unravel(flat, tensor.sizes()), ","), wanted));
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
    // A sum is finite only where all numbers are, and takes no memory; of numbers near the largest it may not be.
    if (std::isfinite(tensor.detach().sum().item<double>())) return;
    expect_all(at::isfinite(tensor.detach()), tensor, what, "expected a finite number");
}

void expect_fits(const at::Tensor& tensor, at::ScalarType type, std::string_view what) {
    const double largest = AT_DISPATCH_FLOATING_TYPES_AND2(at::kHalf, at::kBFloat16, type, "expect_fits",
                                                           [] { return static_cast<double>(std::numeric_limits<scalar_t>::max()); });
    // In f32, since a narrow tensor would be compared with a rounded limit. A NaN compares as false and is refused too.
    const std::string wanted = fmt::format("{} holds up to {:.6g}", name(dtype_of(type)), largest);
    expect_all(at::abs(tensor.detach().to(at::kFloat)).le(largest), tensor, what, wanted);
}

}  // namespace lcm
