#pragma once

#include "lib/core/nn/kernels/attention.h"
#include "lib/core/nn/kernels/picture_rows.h"
#include "lib/core/nn/kernels/product.h"
#include "lib/core/nn/kernels/tile_rows.h"

namespace lcm::nn::blocked {

/// The kernels of f32, compiled once for every instruction set (`f32_kernels.cc`) and picked at run time.
struct F32Kernels {
    ProductKernel product, windows;
    HeadKernel attention;
    FillRow fill_row;
    FillTiles fill_tiles;
};

/// Those for the instruction set of this process.
const F32Kernels& f32_kernels();

}  // namespace lcm::nn::blocked
