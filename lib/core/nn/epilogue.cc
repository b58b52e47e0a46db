#include "lib/core/nn/epilogue.h"

#include <ATen/TensorOperators.h>

#include <utility>
#include <vector>

namespace lcm::nn {

bool is_only(const at::Tensor& x) { return x.defined() && x.use_count() == 1 && x.storage().use_count() == 1; }

Epilogue adding(at::Tensor residual) {
    Epilogue epilogue;
    epilogue.residual = std::move(residual);
    epilogue.residual_is_free = is_only(epilogue.residual);
    return epilogue;
}

at::Tensor apply(const Epilogue& epilogue, at::Tensor product, std::int64_t channel_dimension) {
    if (epilogue.channel.defined()) {
        std::vector<std::int64_t> shape(product.dim(), 1);
        shape.front() = epilogue.channel.size(0);
        shape.at(channel_dimension < 0 ? product.dim() + channel_dimension : channel_dimension) = epilogue.channel.size(1);
        product.add_(epilogue.channel.view(shape));
    }
    if (epilogue.activation == Activation::none) return epilogue.residual.defined() ? product.add_(epilogue.residual) : product;
    at::Tensor result = activate(product, epilogue.activation);
    // Not in place: the gradient of an activation may need its result.
    return epilogue.residual.defined() ? result + epilogue.residual : result;
}

}  // namespace lcm::nn
