#include "lib/core/nn/blocked_panels.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn::blocked {

namespace {

class Linear : public PackedLinear {
public:
    Linear(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias)
        : panels_(weights, "", plain, plain_rows(shape.out), bias), out_(shape.out) {}

    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const override {
        return multiply_tokens(panels_, x, out_, epilogue);
    }

private:
    Panels panels_;
    std::int64_t out_;
};

class Geglu : public PackedGeglu {
public:
    Geglu(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias)
        : panels_(weights, "gated", plain, gated_rows(shape.out), bias), out_(shape.out) {}

    at::Tensor operator()(const at::Tensor& x) const override { return multiply_tokens(panels_, x, out_, {}, /*gated=*/true); }

private:
    Panels panels_;
    std::int64_t out_;
};

}  // namespace

}  // namespace lcm::nn::blocked

namespace lcm::nn {

std::shared_ptr<const PackedLinear> pack_linear(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias) {
    return std::make_shared<blocked::Linear>(weights, shape, plain, bias);
}

std::shared_ptr<const PackedGeglu> pack_geglu(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias) {
    return std::make_shared<blocked::Geglu>(weights, shape, plain, bias);
}

}  // namespace lcm::nn
