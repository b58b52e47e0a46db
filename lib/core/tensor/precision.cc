#include "lib/core/tensor/precision.h"

#include "lib/core/tensor/instruction_set.h"

namespace lcm {

std::string_view name(Precision precision) {
    switch (precision) {
        case Precision::f32:
            return "f32";
        case Precision::bf16:
            return "bf16";
        case Precision::int8:
            return "int8";
    }
    return "f32";
}

std::optional<Precision> precision_named(std::string_view text) {
    for (const auto precision : {Precision::f32, Precision::bf16, Precision::int8})
        if (name(precision) == text) return precision;
    return std::nullopt;
}

at::ScalarType type_of(Precision precision) {
    if (precision == Precision::int8) precision = fastest_precision();
    return precision == Precision::f32 ? at::kFloat : at::kBFloat16;
}

Precision fastest_precision(at::Device device) {
    return !device.is_cpu() || instruction_set() >= InstructionSet::avx512_bf16 ? Precision::bf16 : Precision::f32;
}

}  // namespace lcm
