#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

#include "lib/core/nn/layers.h"

/// Products with weights in the order that oneDNN's kernels want, reordered once when they are made: 1.1 to 9 times faster than a product
/// that reorders each time, most where the weights are large and the pictures small. Inference on a CPU only. oneDNN is asked for the order
/// of a middling size of picture: it is the same for all sizes that were measured, 8x8 to 64x64 pixels and 1 to 4096 tokens.
///
/// libtorch reaches oneDNN's post-operations through operators of its dispatcher (`mkldnn::_linear_pointwise`,
/// `mkldnn::_convolution_pointwise`); a libtorch without them has no packed products.
namespace lcm::nn {

/// Whether layers pack the weights of that source: its type is f32 or bf16, and this libtorch and this CPU have packed products of it.
bool packs(const Scope& weights);

/// Gives the plain weight, as the source has it.
using PlainWeight = std::function<at::Tensor()>;

/// act(x W^T + b + channel) + residual, of the last dimension.
class PackedLinear {
public:
    /// Takes parameter `weight` from an earlier run or packs the plain one, [out,in]. @param form  tells parts of one weight apart
    PackedLinear(const Scope& weights, const std::string& form, const PlainWeight& plain, at::Tensor bias);

    /// With every epilogue; activations and sums that oneDNN knows are made within the product.
    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const;
    /// The product times `factor`, of its shape.
    at::Tensor times(const at::Tensor& x, const at::Tensor& factor) const;

private:
    PackedWeight weight_;
    at::Tensor bias_;
};

/// act(conv(x) + b + channel) + residual, channels last.
class PackedConv2d {
public:
    /// The same for a plain weight [out,in,k,k].
    PackedConv2d(const Scope& weights, const ConvShape& shape, const PlainWeight& plain, at::Tensor bias);

    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const;
    /// The results of all rows of `x` whose window lies in it: padding at the sides only.
    at::Tensor inner_rows(const at::Tensor& x, const Epilogue& epilogue) const;

private:
    at::Tensor convolve(const at::Tensor& x, const Epilogue& epilogue, std::int64_t row_padding) const;

    ConvShape shape_;
    PackedWeight weight_;
    at::Tensor bias_;
};

}  // namespace lcm::nn
