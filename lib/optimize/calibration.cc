#include "lib/optimize/calibration.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "lib/core/nn/layers.h"

namespace lcm {

namespace {

using PlainLayer = std::variant<nn::Linear, nn::Conv2d>;

PlainLayer plain_layer(const nn::Scope& weights, const nn::ProductShape& shape) {
    if (shape.is_matrix()) return nn::Linear(weights, shape.in, shape.out, shape.bias);
    return nn::Conv2d(weights, {.in = shape.in,
                                .out = shape.out,
                                .kernel = shape.kernel,
                                .stride = shape.stride,
                                .padding = shape.padding,
                                .bias = shape.bias});
}

double sum_of_squares(const at::Tensor& x) {
    const at::Tensor wide = x.to(at::kDouble);
    return (wide * wide).sum().item<double>();
}

class WatchedProduct : public nn::Product {
public:
    WatchedProduct(PlainLayer plain, std::shared_ptr<WatchedLayer> layer) : plain_(std::move(plain)), layer_(std::move(layer)) {}

    at::Tensor operator()(const at::Tensor& x, const nn::Epilogue& epilogue) const override {
        if (layer_->candidate)
            compare(x);
        else
            watch(x);
        return apply(x, epilogue);
    }

private:
    at::Tensor apply(const at::Tensor& x, const nn::Epilogue& epilogue) const {
        return std::visit([&](const auto& layer) { return layer(x, epilogue); }, plain_);
    }

    void watch(const at::Tensor& x) const {
        layer_->rows = std::max(layer_->rows, x.numel() / layer_->shape.in);
        layer_->inputs.add(x);
    }

    void compare(const at::Tensor& x) const {
        const at::Tensor own = apply(x, {}).to(at::kFloat);
        layer_->squares += sum_of_squares(own);
        layer_->error_squares += sum_of_squares((*layer_->candidate)(x, {}).to(at::kFloat) - own);
    }

    PlainLayer plain_;
    std::shared_ptr<WatchedLayer> layer_;
};

}  // namespace

double WatchedLayer::relative_error() const { return squares > 0 ? std::sqrt(error_squares / squares) : 0; }

std::shared_ptr<const nn::Product> Calibration::product(Network network, const std::string& module, const nn::ProductShape& shape,
                                                        nn::WeightSource& weights) const {
    if (network != Network::unet) return nullptr;
    auto layer = std::make_shared<WatchedLayer>();
    layer->shape = shape;
    (*layers_)[module] = layer;
    return std::make_shared<WatchedProduct>(plain_layer(nn::Scope(weights, module), shape), std::move(layer));
}

}  // namespace lcm
