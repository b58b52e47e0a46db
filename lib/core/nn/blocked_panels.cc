#include "lib/core/nn/blocked_panels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/zeros.h>

namespace lcm::nn::blocked {

namespace {

/// One row of sums for each picture.
at::Tensor channel_sums(const at::Tensor& channel, const SumRows& rows, const at::Tensor& bias) {
    at::Tensor all = at::zeros({channel.size(0), static_cast<std::int64_t>(rows.size())}, at::kFloat);
    for (std::int64_t picture = 0; picture < channel.size(0); ++picture)
        all.select(0, picture).copy_(bias + pack_numbers(channel.select(0, picture), rows));
    return all;
}

/// One row where all are the same, as in a batch at one timestep: nothing then tells its pictures apart.
at::Tensor without_copies(const at::Tensor& channel) {
    for (std::int64_t i = 1; i < channel.size(0); ++i)
        if (!at::equal(channel[i], channel[0])) return channel;
    return channel.narrow(0, 0, 1);
}

}  // namespace

Plan::Plan(const Panels& panels, const Epilogue& epilogue, std::int64_t pictures) : bias(panels.bias()) {
    const bool knows = epilogue.activation == Activation::none || epilogue.activation == Activation::silu;
    if (epilogue.channel.defined() && epilogue.channel.size(0) != 1 && epilogue.channel.size(0) != pictures) {
        rest = epilogue;
        return;
    }
    if (epilogue.channel.defined()) {
        const at::Tensor channel = without_copies(epilogue.channel);
        bias = channel_sums(channel, panels.rows(), bias);
        if (channel.size(0) > 1) bias_picture = bias.size(1);
    }
    if (!knows) {
        rest = epilogue;
        rest.channel.reset();
        return;
    }
    if (epilogue.activation == Activation::silu) ending = Ending::silu;
    residual = epilogue.residual;
}

at::Tensor memory_for(const Plan& plan, const Epilogue& epilogue, at::IntArrayRef sizes, const at::TensorOptions& options,
                      at::MemoryFormat format) {
    const at::Tensor& residual = plan.residual;
    const bool fits = residual.defined() && residual.sizes() == sizes && residual.dtype() == options.dtype();
    if (fits && epilogue.residual_is_free && residual.is_contiguous(format)) return residual;
    return at::empty(sizes, options, format);
}

Panels::Panels(const Scope& weights, const std::string& form, const PlainWeight& plain, SumRows rows, const at::Tensor& bias)
    : rows_(std::move(rows)),
      weight_(packed_once(weights, form, [&] { return panel_packing(plain(), rows_, *weights.packs()); })),
      bias_(pack_numbers(bias, rows_)) {}

Panels::Panels(PackedWeight packed, SumRows rows, const at::Tensor& scale, const at::Tensor& bias)
    : rows_(std::move(rows)), weight_(std::move(packed)), bias_(pack_numbers(bias, rows_)) {
    if (scale.defined()) scale_ = pack_numbers(scale, rows_);
}

Product Panels::product(const Plan& plan, at::Tensor& result, const at::Tensor& residual) const {
    Product product;
    product.numbers = numbers();
    product.weights = weight_.weight.const_data_ptr();
    product.outputs = static_cast<std::int64_t>(rows_.size());
    product.bias = plan.bias.const_data_ptr<float>();
    product.bias_picture = plan.bias_picture;
    product.ending = plan.ending;
    product.out = result.mutable_data_ptr();
    if (residual.defined()) product.residual = residual.const_data_ptr();
    if (scale_.defined()) product.scale = scale_.const_data_ptr<float>();
    return product;
}

}  // namespace lcm::nn::blocked
