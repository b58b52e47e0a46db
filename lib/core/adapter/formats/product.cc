#include "lib/core/adapter/formats/product.h"

#include <ATen/ops/einsum.h>
#include <ATen/ops/matmul.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace lcm {

std::vector<std::int64_t> FactoredMatrix::shape() const {
    if (!core.defined()) return {a.size(0), b.size(1)};
    return {a.size(1), b.size(1), core.size(2), core.size(3)};
}

at::Tensor FactoredMatrix::compute() const {
    const at::Tensor left = a.to(at::kDouble), right = b.to(at::kDouble);
    if (!core.defined()) return at::matmul(left, right);
    return at::einsum("ijkl,ip,jc->pckl", {core.to(at::kDouble), left, right});
}

FactoredMatrix make_factored(const ModuleParts& parts, const FactorNames& names) {
    FactoredMatrix matrix{parts.take_matrix(names.a), parts.take_matrix(names.b), {}};
    if (parts.has(names.core)) matrix.core = parts.take_matrix(names.core);
    for (const auto& [part, factor] : {std::pair(names.a, matrix.a), std::pair(names.b, matrix.b)})
        if (factor.dim() != 2) throw parts.fault(part, fmt::format("its shape is [{}], expected a matrix", fmt::join(factor.sizes(), ",")));
    const std::int64_t rank = matrix.rank(), inner = matrix.a.size(matrix.core.defined() ? 0 : 1);
    if (inner != rank)
        throw parts.fault(names.a, fmt::format("its shape [{}] does not fit [{}] of the other factor: the ranks {} and {} differ",
                                               fmt::join(matrix.a.sizes(), ","), fmt::join(matrix.b.sizes(), ","), inner, rank));
    if (!matrix.core.defined()) return matrix;
    if (matrix.core.dim() != 4 || matrix.core.size(0) != rank || matrix.core.size(1) != rank)
        throw parts.fault(names.core,
                          fmt::format("its shape is [{}], expected [{},{},k,k]", fmt::join(matrix.core.sizes(), ","), rank, rank));
    return matrix;
}

}  // namespace lcm
