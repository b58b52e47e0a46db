#include "lib/core/nn/packed.h"

#include "lib/core/nn/blocked_products.h"
#include "lib/core/nn/onednn_products.h"

namespace lcm::nn {

bool packs(const Scope& weights) {
    const auto type = weights.packs();
    return type && (blocked::takes(*type) || onednn::takes(*type));
}

std::string_view product_kernels(at::ScalarType type) {
    if (blocked::takes(type)) return blocked::kernels(type);
    return onednn::takes(type) ? "onednn" : "libtorch";
}

std::shared_ptr<const PackedLinear> pack_linear(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias) {
    return (blocked::takes(*weights.packs()) ? blocked::pack_linear : onednn::pack_linear)(weights, shape, plain, bias);
}

std::shared_ptr<const PackedGeglu> pack_geglu(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias) {
    return (blocked::takes(*weights.packs()) ? blocked::pack_geglu : onednn::pack_geglu)(weights, shape, plain, bias);
}

std::shared_ptr<const PackedConv2d> pack_conv(const Scope& weights, const ConvShape& shape, const PlainWeight& plain,
                                              const at::Tensor& bias) {
    return (blocked::takes(*weights.packs()) ? blocked::pack_conv : onednn::pack_conv)(weights, shape, plain, bias);
}

std::shared_ptr<const PackedUpsampleConv> pack_upsample_conv(const Scope& weights, LinearShape shape, const PlainWeight& plain,
                                                             const at::Tensor& bias) {
    return (blocked::takes(*weights.packs()) ? blocked::pack_upsample_conv : onednn::pack_upsample_conv)(weights, shape, plain, bias);
}

}  // namespace lcm::nn
