#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/core/nn/int8_kernels.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// How one product is quantized.
struct LayerSteps {
    at::Tensor scale;  ///< of its weight's rows
    nn::StepRange input;
};

/// Products that are quantized, by the names of their modules.
using QuantizedLayers = std::map<std::string, LayerSteps, std::less<>>;

/// Writes the tensors of `files` to one safetensors file in canonical form, the weights of `layers` as I8 with their scales
/// (`core/weights/quantized_names.h`) and all others as they are; the metadata of the first is kept. One tensor is in memory at a time.
/// @returns bytes of tensor data written
/// @throws Error(data) naming file, tensor and index for NaN and infinity in what is quantized; Stopped
std::uint64_t write_quantized(const std::vector<WeightFile>& files, const std::string& to, const QuantizedLayers& layers);

}  // namespace lcm
