#include "lib/core/nn/gpu_kernels.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "lib/core/nn/cuda/loops.h"
#include "lib/core/nn/layers.h"

namespace lcm::nn {

namespace {

constexpr std::int64_t vector = 8;  // the longest `vector_length`

/// f32 or bf16 on a GPU, and no gradients.
bool is_ours(const at::Tensor& x) {
    const bool type = x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
    return x.is_cuda() && type && !at::GradMode::is_enabled() && x.numel() > 0;
}

cuda::Number number_of(const at::Tensor& x) { return x.scalar_type() == at::kFloat ? cuda::Number::f32 : cuda::Number::bf16; }

cuda::Pixels pixels_of(const at::Tensor& x) { return {number_of(x), x.size(0), x.size(2) * x.size(3), x.size(1)}; }

const void* data(const at::Tensor& tensor) { return tensor.defined() ? tensor.const_data_ptr() : nullptr; }

/// Runs `launch(stream)` on the GPU of `x`.
template <typename Launch>
void run_on(const at::Tensor& x, const Launch& launch) {
    const c10::cuda::CUDAGuard here(x.device());
    launch(c10::cuda::getCurrentCUDAStream().stream());
    C10_CUDA_CHECK(cudaGetLastError());
}

}  // namespace

bool takes_gpu_kernels(const at::Tensor& x) {
    return is_ours(x) && x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast) && x.size(1) % vector == 0 &&
           x.size(1) <= cuda::most_channels;
}

at::Tensor gpu_group_norm(const at::Tensor& x, const GroupNormArguments& arguments) {
    const cuda::Pixels shape = pixels_of(x);
    at::Tensor result = at::empty_like(x), sums = at::empty({cuda::sums_size(shape, arguments.groups)}, x.options().dtype(at::kFloat));
    const cuda::GroupNorm norm{arguments.groups,
                               static_cast<float>(arguments.eps),
                               data(arguments.weight),
                               data(arguments.bias),
                               arguments.silu,
                               sums.mutable_data_ptr<float>()};
    run_on(x, [&](cuda::Stream stream) { cuda::group_norm(shape, data(x), result.mutable_data_ptr(), norm, stream); });
    return result;
}

at::Tensor gpu_epilogue(at::Tensor product, const at::Tensor& bias, const Epilogue& epilogue) {
    const bool bare = epilogue.activation == Activation::none;
    const at::Tensor channel = epilogue.channel.defined() ? epilogue.channel.expand({product.size(0), -1}).contiguous() : at::Tensor();
    const at::Tensor residual = bare && epilogue.residual.defined() ? channels_last(epilogue.residual) : at::Tensor();
    if (bias.defined() || channel.defined() || residual.defined())
        run_on(product, [&](cuda::Stream stream) {
            cuda::add(pixels_of(product), product.mutable_data_ptr(), data(bias), data(channel), data(residual), stream);
        });
    if (bare) return product;
    const at::Tensor result = activate(product, epilogue.activation);
    return epilogue.residual.defined() ? result + epilogue.residual : result;
}

bool takes_gpu_geglu(const at::Tensor& both) {
    return is_ours(both) && both.dim() == 3 && both.is_contiguous() && both.size(2) % (2 * vector) == 0;
}

at::Tensor gpu_geglu(const at::Tensor& both) {
    const std::int64_t width = both.size(2) / 2, rows = both.size(0) * both.size(1);
    at::Tensor result = at::empty({both.size(0), both.size(1), width}, both.options());
    run_on(both, [&](cuda::Stream stream) { cuda::geglu(number_of(both), rows, width, data(both), result.mutable_data_ptr(), stream); });
    return result;
}

}  // namespace lcm::nn
