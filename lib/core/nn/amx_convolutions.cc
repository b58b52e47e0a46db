#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <array>

#include "lib/core/nn/amx_conv.h"
#include "lib/core/nn/amx_panels.h"
#include "lib/core/nn/amx_products.h"

namespace lcm::nn::amx {

namespace {

/// A product of `panels` into `result` [B,C,H,W] in channels-last memory.
Product into_picture(const Panels& panels, const Plan& plan, at::Tensor& result, const at::Tensor& residual) {
    Product product = panels.product(plan, result, residual);
    product.outputs = result.size(1);
    product.pictures = result.size(0);
    product.rows = result.size(2);
    product.width = result.size(3);
    product.out_strides = {result.size(1), result.size(1) * result.size(3), result.size(1) * result.size(3) * result.size(2)};
    return product;
}

class Conv2d : public PackedConv2d {
public:
    Conv2d(const Scope& weights, const ConvShape& shape, const PlainWeight& plain, const at::Tensor& bias)
        : shape_(shape), panels_(weights, fmt::format("{0}x{0}", shape.kernel), plain, plain_rows(shape.out), bias) {}

    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const override {
        return shape_.kernel == 1 ? of_pixels(channels_last(x), epilogue) : of_windows(channels_last(x), {}, epilogue);
    }

    at::Tensor of_norm(const at::Tensor& x, const GroupNormArguments& norm, const Epilogue& epilogue) const override {
        if (shape_.kernel == 1) return of_pixels(group_norm_kernel(x, norm), epilogue);
        const NormLines lines(x, norm);
        return of_windows(x, {.norm = &lines}, epilogue);
    }

private:
    at::Tensor of_windows(const at::Tensor& x, const PictureChange& change, const Epilogue& epilogue) const {
        const auto side = [&](std::int64_t size) { return (size + 2 * shape_.padding - shape_.kernel) / shape_.stride + 1; };
        at::Tensor result = at::empty({x.size(0), shape_.out, side(x.size(2)), side(x.size(3))}, x.options(), at::MemoryFormat::ChannelsLast);
        const Plan plan(panels_, epilogue, x.size(0));
        const at::Tensor residual = plan.residual.defined() ? channels_last(plan.residual) : at::Tensor();
        const WindowProduct product{into_picture(panels_, plan, result, residual)};
        convolve({&product, 1}, {shape_.kernel, shape_.stride, shape_.padding}, x, change);
        return apply(plan.rest, std::move(result), 1);
    }

    /// A 1x1 kernel: pixels are tokens.
    at::Tensor of_pixels(const at::Tensor& x, const Epilogue& epilogue) const {
        at::Tensor pixels = x;
        for (const std::int64_t dimension : {2, 3})
            if (shape_.stride > 1) pixels = pixels.slice(dimension, 0, std::nullopt, shape_.stride);
        pixels = channels_last(pixels);
        at::Tensor result = at::empty({x.size(0), shape_.out, pixels.size(2), pixels.size(3)}, x.options(), at::MemoryFormat::ChannelsLast);
        const Plan plan(panels_, epilogue, 1);
        const at::Tensor residual = plan.residual.defined() ? channels_last(plan.residual) : at::Tensor();
        Product product = panels_.product(plan, result, residual);
        product.outputs = product.out_strides.pixel = shape_.out;
        multiply_tokens(product, to_tokens(pixels));
        return apply(plan.rest, std::move(result), 1);
    }

    ConvShape shape_;
    Panels panels_;
};

/// Each of the four results of a small pixel is a product of its own, which writes every second pixel of every second row.
class UpsampleConv : public PackedUpsampleConv {
public:
    UpsampleConv(const Scope& weights, LinearShape shape, const PlainWeight& plain, const at::Tensor& bias) : out_(shape.out) {
        at::Tensor folded;
        for (std::int64_t i = 0; i < 4; ++i) {
            const auto part = [&] {
                if (!folded.defined()) folded = fold_doubling(plain());
                return folded.narrow(0, i * shape.out, shape.out);
            };
            parts_.emplace_back(weights, fmt::format("doubling {}", i), part, plain_rows(shape.out), bias);
        }
    }

    at::Tensor operator()(const at::Tensor& x) const override {
        at::Tensor result = at::empty({x.size(0), out_, 2 * x.size(2), 2 * x.size(3)}, x.options(), at::MemoryFormat::ChannelsLast);
        std::vector<WindowProduct> products;
        for (std::int64_t i = 0; i < 4; ++i) {
            const std::int64_t row = i / 2, column = i % 2;
            const Panels& panels = parts_[static_cast<std::size_t>(i)];
            WindowProduct& part = products.emplace_back(into_picture(panels, Plan(panels, {}, 1), result, {}), row, column);
            OutputStrides& strides = part.product.out_strides;
            part.product.out += row * strides.row + column * strides.pixel;
            strides.row *= 2;
            strides.pixel *= 2;
            part.product.rows = x.size(2);
            part.product.width = x.size(3);
        }
        convolve(products, {.kernel = 2, .stride = 1, .border = 1, .extra = 1}, x, {});
        return result;
    }

private:
    std::int64_t out_;
    std::vector<Panels> parts_;
};

}  // namespace

std::shared_ptr<const PackedConv2d> pack_conv(const Scope& weights, const ConvShape& shape, const PlainWeight& plain,
                                              const at::Tensor& bias) {
    return std::make_shared<Conv2d>(weights, shape, plain, bias);
}

std::shared_ptr<const PackedUpsampleConv> pack_upsample_conv(const Scope& weights, LinearShape shape, const PlainWeight& plain,
                                                             const at::Tensor& bias) {
    return std::make_shared<UpsampleConv>(weights, shape, plain, bias);
}

}  // namespace lcm::nn::amx
