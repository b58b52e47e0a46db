#pragma once

/// `Sums` of `sum_pixels` pixels times `sum_outputs` outputs, for the instruction set of this compilation.
#if defined(__AVX512F__)
#include "lib/core/nn/kernels/sums_avx512.h"
#else
#include "lib/core/nn/kernels/sums_vector.h"
#endif
