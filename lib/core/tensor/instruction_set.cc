#include "lib/core/tensor/instruction_set.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <string>

#include "lib/core/tensor/cpu.h"

namespace lcm {

namespace {

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
