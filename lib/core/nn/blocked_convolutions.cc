#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "lib/core/nn/blocked_conv.h"
#include "lib/core/nn/blocked_panels.h"
#include "lib/core/nn/blocked_windows.h"

namespace lcm::nn::blocked {

namespace {

class Conv2d : public PackedConv2d {
public:
    Conv2d(const Scope& weights, const ConvShape& shape, const PlainWeight& plain, const at::Tensor& bias)
        : shape_(shape),
          windows_(shape.kernel == 3 && shape.stride == 1 && shape.padding == 1 && takes_windows(shape.in, numbers_of(*weights.packs()))),
          panels_(windows_ ? window_panels(weights, {shape.in, shape.out}, Windows::plain, bias)
                           : Panels(weights, fmt::format("{0}x{0}", shape.kernel), plain, plain_rows(shape.out), bias)) {}

    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const override {
        return shape_.kernel == 1 ? of_pixels(channels_last(x), epilogue) : of_picture(channels_last(x), {}, epilogue);
    }

    at::Tensor of_norm(const at::Tensor& x, const GroupNormArguments& norm, const Epilogue& epilogue) const override {
        if (shape_.kernel == 1) return of_pixels(group_norm_kernel(x, norm), epilogue);
        const NormLines lines(x, norm);
        return of_picture(x, {.norm = &lines}, epilogue);
    }

private:
    at::Tensor of_picture(const at::Tensor& x, const PictureChange& change, const Epilogue& epilogue) const {
        if (windows_) return convolve_windows(panels_, shape_.out, x, change, epilogue);
        return convolve(panels_, shape_, x, change, epilogue);
    }

    /// A 1x1 kernel: pixels are tokens.
    at::Tensor of_pixels(const at::Tensor& x, const Epilogue& epilogue) const {
        at::Tensor pixels = x;
        for (const std::int64_t dimension : {2, 3})
            if (shape_.stride > 1) pixels = pixels.slice(dimension, 0, std::nullopt, shape_.stride);
        pixels = channels_last(pixels);
        Epilogue of_tokens = epilogue;
        if (epilogue.residual.defined()) of_tokens.residual = to_tokens(channels_last(epilogue.residual));
        return to_picture(multiply_tokens(panels_, to_tokens(pixels), shape_.out, of_tokens), pixels.size(2), pixels.size(3));
    }

    ConvShape shape_;
    bool windows_;
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
            part.product.move(row * strides.row + column * strides.pixel);
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

class DoublingWindows : public PackedUpsampleConv {
public:
    DoublingWindows(const Scope& weights, LinearShape shape, const at::Tensor& bias)
        : out_(shape.out), panels_(window_panels(weights, shape, Windows::doubling, bias)) {}

    at::Tensor operator()(const at::Tensor& x) const override { return convolve_doubled(panels_, out_, x); }

private:
    std::int64_t out_;
    Panels panels_;
};

}  // namespace

}  // namespace lcm::nn::blocked

namespace lcm::nn {

std::shared_ptr<const PackedConv2d> pack_conv(const Scope& weights, const ConvShape& shape, const PlainWeight& plain,
                                              const at::Tensor& bias) {
    return std::make_shared<blocked::Conv2d>(weights, shape, plain, bias);
}

std::shared_ptr<const PackedUpsampleConv> pack_upsample_conv(const Scope& weights, LinearShape shape, const PlainWeight& plain,
                                                             const at::Tensor& bias) {
    if (blocked::takes_windows(shape.in, blocked::numbers_of(*weights.packs())))
        return std::make_shared<blocked::DoublingWindows>(weights, shape, bias);
    return std::make_shared<blocked::UpsampleConv>(weights, shape, plain, bias);
}

}  // namespace lcm::nn
