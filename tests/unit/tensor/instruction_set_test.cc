#include "lib/core/tensor/instruction_set.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "lib/core/tensor/precision.h"

using namespace lcm;

namespace {

/// An environment variable that is what it was when the test is over.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
    ~Variable() { ::unsetenv(name_); }

private:
    const char* name_;
};

}  // namespace

TEST_CASE("our kernels keep below the caps of libtorch and of oneDNN") {
    const InstructionSet best = instruction_set();
    {
        const Variable cap("ATEN_CPU_CAPABILITY", "avx2");
        CHECK((instruction_set() == std::min(best, InstructionSet::avx2)));
        CHECK((fastest_precision() == Precision::f32));
    }
    {
        const Variable cap("ATEN_CPU_CAPABILITY", "default");
        CHECK((instruction_set() == InstructionSet::baseline));
    }
    {
        const Variable cap("ONEDNN_MAX_CPU_ISA", "avx512_core_bf16");
        CHECK((instruction_set() == std::min(best, InstructionSet::avx512_bf16)));
    }
    {
        const Variable cap("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_AMX");
        CHECK((instruction_set() == best));
    }
    CHECK((instruction_set() == best));
}

TEST_CASE("an instruction set has a name") {
    CHECK(name(InstructionSet::baseline) == "baseline");
    CHECK(name(InstructionSet::amx) == "amx");
}
