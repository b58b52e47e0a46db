#include "lib/core/nn/blocked_products.h"

#include <algorithm>

#include "lib/core/tensor/instruction_set.h"

namespace lcm::nn::blocked {

bool takes(at::ScalarType type) {
    if (type == at::kBFloat16) return instruction_set() >= InstructionSet::avx512_bf16;
    return type == at::kFloat;
}

std::string_view kernels(at::ScalarType type) {
    return name(type == at::kFloat ? std::min(instruction_set(), InstructionSet::avx512) : instruction_set());
}

}  // namespace lcm::nn::blocked
