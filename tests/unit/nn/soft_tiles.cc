// A CPU that multiplies bf16 and bytes in vectors counts as one with tiles.

#include "lib/core/nn/kernels/tiles_amx.h"
#include "lib/core/tensor/cpu.h"

namespace lcm {

InstructionSet best_of_cpu() {
    __builtin_cpu_init();
    const bool runs_kernels = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni");
    return runs_kernels ? InstructionSet::amx : InstructionSet::baseline;
}

namespace nn::amx {

void begin_tiles() {}
void end_tiles() {}

}  // namespace nn::amx

}  // namespace lcm
