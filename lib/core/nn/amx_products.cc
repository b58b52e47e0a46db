#include "lib/core/nn/amx_products.h"

#include "lib/core/tensor/instruction_set.h"

namespace lcm::nn::amx {

bool takes(at::ScalarType type) { return type == at::kBFloat16 && instruction_set() == InstructionSet::amx; }

}  // namespace lcm::nn::amx
