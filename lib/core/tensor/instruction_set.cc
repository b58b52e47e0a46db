#include "lib/core/tensor/instruction_set.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lcm {

namespace {

#if defined(__x86_64__)

/// Linux hands out the registers of tiles on request only.
bool may_use_tiles() {
    constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
    return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

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

std::string upper_case_variable(const char* variable) {
    const char* value = std::getenv(variable);
    std::string text = value ? value : "";
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

/// libtorch knows "default", "avx2" and "avx512", and takes anything else for no cap.
InstructionSet cap_of_libtorch() {
    const std::string text = upper_case_variable("ATEN_CPU_CAPABILITY");
    if (text == "DEFAULT") return InstructionSet::baseline;
    return text == "AVX2" ? InstructionSet::avx2 : InstructionSet::amx;
}

/// oneDNN's names of what it may use at most (its developer guide, "CPU Dispatcher Control").
InstructionSet cap_of_onednn() {
    struct Cap {
        std::string_view name;
        InstructionSet set;
    };
    constexpr std::array caps{Cap{"SSE41", InstructionSet::baseline},
                              Cap{"AVX", InstructionSet::baseline},
                              Cap{"AVX2", InstructionSet::avx2},
                              Cap{"AVX2_VNNI", InstructionSet::avx2},
                              Cap{"AVX2_VNNI_2", InstructionSet::avx2},
                              Cap{"AVX512_CORE", InstructionSet::avx512},
                              Cap{"AVX512_CORE_VNNI", InstructionSet::avx512},
                              Cap{"AVX512_CORE_BF16", InstructionSet::avx512_bf16},
                              Cap{"AVX512_CORE_FP16", InstructionSet::avx512_bf16},
                              Cap{"AVX10_1_512", InstructionSet::avx512_bf16}};
    std::string text = upper_case_variable("ONEDNN_MAX_CPU_ISA");
    if (text.empty()) text = upper_case_variable("DNNL_MAX_CPU_ISA");
    const auto* const found = std::ranges::find(caps, text, &Cap::name);
    return found == caps.end() ? InstructionSet::amx : found->set;
}

}  // namespace

std::string_view name(InstructionSet set) {
    constexpr std::array names{"baseline", "avx2", "avx512", "avx512_bf16", "amx"};
    return names.at(static_cast<std::size_t>(set));
}

InstructionSet instruction_set() {
    static const InstructionSet cpu = best_of_cpu();
    return std::min({cpu, cap_of_libtorch(), cap_of_onednn()});
}

}  // namespace lcm
