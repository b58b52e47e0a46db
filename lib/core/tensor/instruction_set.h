#pragma once

#include <string_view>

namespace lcm {

/// What our own kernels may use, each with all before it. `avx512_bf16` multiplies bytes too (VNNI), `amx` tiles of bf16 and of int8.
enum class InstructionSet { baseline, avx2, avx512, avx512_bf16, amx };

/// "baseline", "avx2", "avx512", "avx512_bf16", "amx".
std::string_view name(InstructionSet set);

/// The best one of this CPU that the user has not ruled out: `ATEN_CPU_CAPABILITY` and `ONEDNN_MAX_CPU_ISA`, which cap libtorch and oneDNN,
/// cap our kernels too. Asked of the CPU once.
InstructionSet instruction_set();

}  // namespace lcm
