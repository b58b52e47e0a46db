#include "lib/core/nn/blocked_quantized.h"

#include <ATen/TensorOperators.h>

#include "lib/core/nn/blocked_conv.h"
#include "lib/core/nn/blocked_panels.h"
#include "lib/core/nn/packed.h"

namespace lcm::nn::blocked {

namespace {

/// What `packing()` makes of a parameter, or an earlier run has.
template <typename MakePacking>
PackedWeight kept_or_made(const Scope* kept, const std::string& form, const MakePacking& packing) {
    return kept ? packed_once(*kept, form, packing) : PackedWeight{pack(packing()), nullptr};
}

class QuantizedProduct : public nn::Product {
public:
    QuantizedProduct(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias, const Scope* kept)
        : shape_(shape), input_(weight.input), panels_(panels(shape, weight, bias, kept)) {}

    at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const override {
        return shape_.is_matrix() ? of_tokens(x, epilogue) : of_picture(channels_last(x), {.steps = &input_}, epilogue);
    }

    at::Tensor of_norm(const at::Tensor& x, const GroupNormArguments& norm, const Epilogue& epilogue) const override {
        const NormLines lines(x, norm);
        return of_picture(x, {&lines, &input_}, epilogue);
    }

    at::Tensor geglu(const at::Tensor& x) const override {
        return multiply_tokens(panels_, quantize_steps(x, input_), shape_.out / 2, {}, /*gated=*/true);
    }

private:
    static Panels panels(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias, const Scope* kept) {
        SumRows rows = shape.gated ? gated_rows(shape.out / 2) : plain_rows(shape.out);
        const auto row_order = [&] { return packing_of(pack_numbers(row_sums(weight.steps), plain_rows(shape.out))); };
        const auto sums = kept_or_made(kept, "int8 sums", row_order);
        const at::Tensor biases = sum_biases(weight, sums.weight[0].narrow(0, 0, shape.out), bias);
        PackedWeight steps = kept_or_made(kept, "int8", [&] { return panel_packing(weight.steps, rows, at::kChar); });
        return {std::move(steps), std::move(rows), sum_scales(weight), biases};
    }

    at::Tensor of_tokens(const at::Tensor& x, const Epilogue& epilogue) const {
        const at::Tensor steps = quantize_steps(x, input_);
        if (!shape_.gated) return multiply_tokens(panels_, steps, shape_.out, epilogue);
        // In the order of its panels; only calibration asks for it.
        const at::Tensor panelled = multiply_tokens(panels_, steps, static_cast<std::int64_t>(panels_.rows().size()), {});
        return apply(epilogue, panelled.index_select(-1, places(panels_.rows(), shape_.out)), -1);
    }

    at::Tensor of_picture(const at::Tensor& x, const PictureChange& change, const Epilogue& epilogue) const {
        return convolve(panels_, {shape_.in, shape_.out, shape_.kernel, shape_.stride, shape_.padding}, x, change, epilogue);
    }

    ProductShape shape_;
    StepRange input_;
    Panels panels_;
};

}  // namespace

std::shared_ptr<const nn::Product> quantized_product(const ProductShape& shape, const QuantizedWeight& weight, const at::Tensor& bias,
                                                 const Scope* kept) {
    return std::make_shared<QuantizedProduct>(shape, weight, bias, kept);
}

}  // namespace lcm::nn::blocked
