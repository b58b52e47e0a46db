#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

#include "lib/stream/record.h"

namespace lcm {

/// The libtorch type of a record's dtype. @throws Error(data) for types libtorch does not compute with
at::ScalarType scalar_type(Dtype dtype);
/// The record's dtype of a libtorch type. @throws Error(software)
Dtype dtype_of(at::ScalarType type);

/// A tensor over the same bytes (kept alive), not to be written to. The bytes need not be aligned: misaligned ones are copied.
at::Tensor to_torch(const TensorBytes& bytes);

/// A copy of `tensor` as row-major bytes on the CPU, in the tensor's own type.
TensorBytes from_torch(const at::Tensor& tensor);

/// Refuses shapes other than `expected`; -1 stands for any positive size. @throws Error(data) "`what` is [..], expected [..]"
void expect_shape(const at::Tensor& tensor, at::IntArrayRef expected, std::string_view what);

/// Refuses NaN and infinity. @throws Error(data) naming `what`, the value and the index of the first
void expect_finite(const at::Tensor& tensor, std::string_view what);

/// Refuses NaN, infinity and what a narrower floating type cannot hold (F16: beyond 65504). @throws Error(data) as expect_finite
void expect_fits(const at::Tensor& tensor, at::ScalarType type, std::string_view what);

}  // namespace lcm
