#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string_view>

#include "lib/core/nn/group_norm_kernel.h"
#include "lib/core/nn/layers.h"

/// Products with weights in the order that our own kernels want (`kernels/product.h`), reordered once when they are made, for any number of
/// inputs and outputs: f32 on every CPU, bf16 on AMX or AVX512-BF16. Sums are f32 until the epilogue has been applied, so that bias, SiLU
/// and residual round once. Inference on a CPU only.
namespace lcm::nn {

/// Whether there are kernels for that type on this CPU.
bool multiplies(at::ScalarType type);

/// Whether layers pack the weights of that source: its type is one that we multiply.
bool packs(const Scope& weights);

/// Whose kernels multiply and attend in that type on this CPU: our own, by their instructions (`lib/core/tensor/instruction_set.h`), or
/// "libtorch".
std::string_view kernels(at::ScalarType type);

/// Gives the plain weight, of f32, bf16 or halves, as it is stored.
using PlainWeight = std::function<at::Tensor()>;

/// act(x W^T + b + channel) + residual, of the last dimension.
class PackedLinear {
public:
    virtual ~PackedLinear() = default;
    virtual at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const = 0;
};

/// a * gelu(b) with [a | b] = x W^T + b.
class PackedGeglu {
public:
    virtual ~PackedGeglu() = default;
    virtual at::Tensor operator()(const at::Tensor& x) const = 0;
};

/// act(conv(x) + b + channel) + residual, channels last.
class PackedConv2d {
public:
    virtual ~PackedConv2d() = default;
    virtual at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const = 0;
    /// Of norm(x), for an `x` that `takes_group_norm_kernel` and channels-last memory.
    virtual at::Tensor of_norm(const at::Tensor& x, const GroupNormArguments& norm, const Epilogue& epilogue) const = 0;
};

/// The 3x3 convolution of a picture that is doubled before, [B,in,H,W] to [B,out,2H,2W]: `UpsampleConv` says how.
class PackedUpsampleConv {
public:
    virtual ~PackedUpsampleConv() = default;
    virtual at::Tensor operator()(const at::Tensor& x) const = 0;
};

/// Inputs and outputs of a matrix.
struct LinearShape {
    std::int64_t in = 0, out = 0;
};

/// Each takes parameter `weight` from an earlier run or packs the plain one: [out,in], of geglu [2*out,in], of a convolution [out,in,k,k].
/// @param bias [out] (of geglu [2*out]), or undefined
std::shared_ptr<const PackedLinear> pack_linear(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias);
std::shared_ptr<const PackedGeglu> pack_geglu(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias);
std::shared_ptr<const PackedConv2d> pack_conv(const Scope& weights, const ConvShape& shape, const PlainWeight& plain,
                                              const at::Tensor& bias);
std::shared_ptr<const PackedUpsampleConv> pack_upsample_conv(const Scope& weights, LinearShape shape, const PlainWeight& plain,
                                                             const at::Tensor& bias);

/// Parameter `weight` as `packing()` makes it, or as an earlier run has; `form` tells several of one weight apart.
template <typename MakePacking>
PackedWeight packed_once(const Scope& weights, const std::string& form, const MakePacking& packing) {
    PackedWeight packed = weights.find_packed("weight", form);
    return packed.weight.defined() ? packed : weights.pack("weight", form, packing());
}

/// Three taps of each row and column as the two that meet a small pixel, for the even and the odd rows and columns of the doubled picture
/// as outputs of their own: [out,in,3,3] to [4*out,in,2,2] in f32.
at::Tensor fold_doubling(const at::Tensor& weight);

}  // namespace lcm::nn
