#include "lib/core/nn/group_norm_kernel.h"
#include "lib/core/nn/int8_kernels.h"
#include "lib/core/nn/layers.h"

namespace lcm::nn {

at::Tensor Product::of_norm(const at::Tensor& x, const GroupNormArguments& norm, const Epilogue& epilogue) const {
    return (*this)(group_norm_kernel(x, norm), epilogue);
}

at::Tensor Product::geglu(const at::Tensor& x) const { return geglu_kernel((*this)(x, {})); }

}  // namespace lcm::nn
