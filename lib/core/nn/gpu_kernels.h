#pragma once

#include <ATen/core/Tensor.h>

#include "lib/core/nn/group_norm_kernel.h"
#include "lib/core/nn/layers.h"

/// Our own loops on a GPU, each one pass over memory where libtorch makes several and turns channels-last memory round in between. A build
/// without CUDA's compiler has none.
namespace lcm::nn {

/// Whether they take a picture [B,C,H,W]: f32 or bf16 on a GPU, channels last, which are whole multiples of 8 and at most 4096, and nobody
/// differentiates.
bool takes_gpu_kernels(const at::Tensor& x);

/// `GroupNormArguments` of such a picture, of at most 512 groups.
at::Tensor gpu_group_norm(const at::Tensor& x, const GroupNormArguments& arguments);

/// act(product + bias + channel) + residual for such a product that nobody else holds, sums in one pass. @param bias  [C] or undefined
at::Tensor gpu_epilogue(at::Tensor product, const at::Tensor& bias, const Epilogue& epilogue);

/// Whether `gpu_geglu` takes tokens [B,T,2*D]: f32 or bf16 on a GPU, side by side, D a multiple of 8, and nobody differentiates.
bool takes_gpu_geglu(const at::Tensor& both);

/// a * gelu(b) of [a | b], [B,T,2*D] -> [B,T,D].
at::Tensor gpu_geglu(const at::Tensor& both);

}  // namespace lcm::nn
