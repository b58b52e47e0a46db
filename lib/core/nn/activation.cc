#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>

#include "lib/core/nn/layers.h"

namespace lcm::nn {

at::Tensor activate(const at::Tensor& x, Activation activation) {
    switch (activation) {
        case Activation::none:
            return x;
        case Activation::silu:
            return at::silu(x);
        case Activation::gelu:
            return at::gelu(x);
        case Activation::quick_gelu:
            return x * at::sigmoid(x * 1.702);
        case Activation::relu:
            return at::relu(x);
    }
    return x;
}

}  // namespace lcm::nn
