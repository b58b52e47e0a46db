#pragma once

#include "lib/core/adapter/delta_format.h"

namespace lcm {

/// A matrix as LyCORIS factorizes it: a @ b with a [out,r] and b [r,in]; or, with a Tucker core [r,r,k,k], the sum over i,j of
/// core[i,j,..] b[j,c] a[i,p] with a [r,out] and b [r,in].
struct FactoredMatrix {
    at::Tensor a, b, core;  ///< core: undefined without Tucker

    std::int64_t rank() const { return b.size(0); }
    std::vector<std::int64_t> shape() const;
    /// In f64.
    at::Tensor compute() const;
};

/// Names of the parts of one such matrix.
struct FactorNames {
    std::string_view a, b, core;
};

/// @throws Error(data) naming file and tensor when factors are missing or do not fit each other
FactoredMatrix make_factored(const ModuleParts& parts, const FactorNames& names);

}  // namespace lcm
