#pragma once

#include "lib/core/nn/kernels/attention.h"
#include "lib/core/nn/kernels/picture_rows.h"
#include "lib/core/nn/kernels/product.h"
#include "lib/core/nn/kernels/tile_rows.h"

namespace lcm::nn::blocked {

/// The kernels of one type of numbers and one instruction set; those that are not asked for are null.
struct NumberKernels {
    ProductKernel product{}, windows{};  ///< of `Windows::none`, and of others
    HeadKernel attention{};
    FillRow fill_row = nullptr;      ///< of pictures in these numbers, which may become others
    FillTiles fill_tiles = nullptr;  ///< to these numbers
};

/// Those of this process (`lib/core/tensor/instruction_set.h`): of f32 on any CPU, of bf16 and int8 on AVX512-BF16 or AMX.
const NumberKernels& number_kernels(Numbers numbers);

}  // namespace lcm::nn::blocked
