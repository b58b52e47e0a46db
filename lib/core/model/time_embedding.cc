#include "lib/core/model/time_embedding.h"

namespace lcm {

TimeEmbedding::TimeEmbedding(const nn::Scope& weights, std::int64_t in, std::int64_t out, std::optional<std::int64_t> condition_width)
    : linear_1_(weights / "linear_1", in, out), linear_2_(weights / "linear_2", out, out) {
    if (condition_width) cond_proj_.emplace(weights / "cond_proj", *condition_width, in, /*bias=*/false);
}

at::Tensor TimeEmbedding::operator()(const at::Tensor& x, const at::Tensor& condition) const {
    nn::Epilogue silu;
    silu.activation = nn::Activation::silu;
    return linear_2_(linear_1_(cond_proj_ ? (*cond_proj_)(condition, nn::adding(x)) : x, silu));
}

}  // namespace lcm
