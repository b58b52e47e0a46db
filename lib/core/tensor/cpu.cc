#include "lib/core/tensor/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lcm {

#if defined(__x86_64__)

namespace {

/// Linux hands out the registers of tiles on request only.
bool may_use_tiles() {
    constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

}  // namespace

InstructionSet best_of_cpu() {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return InstructionSet::baseline;
    for (const bool has : {__builtin_cpu_supports("avx512f") != 0, __builtin_cpu_supports("avx512bw") != 0,
                           __builtin_cpu_supports("avx512dq") != 0, __builtin_cpu_supports("avx512vl") != 0})
        if (!has) return InstructionSet::avx2;
    // CPUID leaf 7: subleaf 1, EAX bit 5 is AVX512-BF16; subleaf 0, ECX bit 11 is AVX512-VNNI, EDX bits 22, 24, 25 are AMX-BF16,
    // AMX-TILE, AMX-INT8.
    constexpr unsigned avx512_bf16 = 1U << 5, avx512_vnni = 1U << 11, all_of_amx = 1U << 22 | 1U << 24 | 1U << 25;
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) == 0 || (eax & avx512_bf16) == 0) return InstructionSet::avx512;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (ecx & avx512_vnni) == 0) return InstructionSet::avx512;
    if ((edx & all_of_amx) != all_of_amx) return InstructionSet::avx512_bf16;
    return may_use_tiles() ? InstructionSet::amx : InstructionSet::avx512_bf16;
}

#else

InstructionSet best_of_cpu() { return InstructionSet::baseline; }

#endif

}  // namespace lcm
