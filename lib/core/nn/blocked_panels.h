#pragma once

#include "lib/core/nn/blocked_weights.h"
#include "lib/core/nn/epilogue.h"
#include "lib/core/nn/kernels/product.h"
#include "lib/core/nn/packed.h"

/// What the layers share: packed weights, and how an epilogue is divided between the kernel and what follows it.
namespace lcm::nn::blocked {

class Panels;

/// An epilogue's parts.
struct Plan {
    at::Tensor bias;               ///< f32, with the channels that can be added to it; [pictures,sums] or [sums]
    std::int64_t bias_picture = 0;  ///< numbers from a picture's to the next's
    Ending ending = Ending::plain;
    at::Tensor residual;  ///< what the kernel adds; undefined: nothing
    Epilogue rest;        ///< what is left to do

    /// @param pictures  whose channels the kernel tells apart
    Plan(const Panels& panels, const Epilogue& epilogue, std::int64_t pictures);
};

/// Memory for a result: that of the residual where the kernel adds it, nobody reads it again and it fits.
/// @param format  contiguous for tokens [..,C], channels-last for pictures [B,C,H,W]
at::Tensor memory_for(const Plan& plan, const Epilogue& epilogue, at::IntArrayRef sizes, const at::TensorOptions& options,
                      at::MemoryFormat format);

/// A weight in panels and its bias.
class Panels {
public:
    Panels(const Scope& weights, const std::string& form, const PlainWeight& plain, SumRows rows, const at::Tensor& bias);
    /// Of a packed weight; `scale` [out] of int8, else undefined; `bias` [out] or undefined.
    Panels(PackedWeight packed, SumRows rows, const at::Tensor& scale, const at::Tensor& bias);

    /// A product with these weights whose result is `result`; `residual` lies as that or is undefined. Input and geometry are left open.
    Product product(const Plan& plan, at::Tensor& result, const at::Tensor& residual) const;

    const at::Tensor& bias() const { return bias_; }
    Numbers numbers() const { return numbers_of(weight_.weight.scalar_type()); }
    /// Of what they multiply to: f32 or bf16.
    at::ScalarType result_type() const { return numbers() == Numbers::f32 ? at::kFloat : at::kBFloat16; }
    const SumRows& rows() const { return rows_; }

private:
    SumRows rows_;
    PackedWeight weight_;
    at::Tensor scale_, bias_;  ///< f32 [sums]; scale undefined: not of int8
};

/// x W^T [..,out] of x [..,in], f32, bf16 or unsigned bytes as the panels, with all of `epilogue`; or gated, [..,out] of 2 * out sums.
at::Tensor multiply_tokens(const Panels& panels, const at::Tensor& x, std::int64_t out, const Epilogue& epilogue, bool gated = false);

}  // namespace lcm::nn::blocked
