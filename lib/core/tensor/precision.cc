#include "lib/core/tensor/precision.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lcm {

std::string_view name(Precision precision) { return precision == Precision::f32 ? "f32" : "bf16"; }

std::optional<Precision> precision_named(std::string_view text) {
    for (const auto precision : {Precision::f32, Precision::bf16})
        if (name(precision) == text) return precision;
    return std::nullopt;
}

at::ScalarType type_of(Precision precision) { return precision == Precision::f32 ? at::kFloat : at::kBFloat16; }

Precision fastest_precision() {
#if defined(__x86_64__)
    // CPUID leaf 7: subleaf 0, EDX bit 22 is AMX-BF16; subleaf 1, EAX bit 5 is AVX512-BF16.
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & (1U << 22)) != 0) return Precision::bf16;
    if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & (1U << 5)) != 0) return Precision::bf16;
#endif
    return Precision::f32;
}

}  // namespace lcm
