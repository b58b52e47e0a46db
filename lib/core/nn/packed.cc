#include "lib/core/nn/packed.h"

#include <algorithm>

#include "lib/core/tensor/instruction_set.h"

namespace lcm::nn {

bool multiplies(at::ScalarType type) {
    return type == at::kFloat || (type == at::kBFloat16 && instruction_set() >= InstructionSet::avx512_bf16);
}

bool packs(const Scope& weights) {
    const auto type = weights.packs();
    return type && multiplies(*type);
}

std::string_view kernels(at::ScalarType type) {
    if (!multiplies(type)) return "libtorch";
    return name(type == at::kFloat ? std::min(instruction_set(), InstructionSet::avx512) : instruction_set());
}

}  // namespace lcm::nn
