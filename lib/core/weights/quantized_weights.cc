#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <cmath>

#include "lib/base/error.h"
#include "lib/core/weights/quantized_names.h"
#include "lib/core/weights/weight_set.h"

namespace lcm {

namespace {

constexpr const char* quantize_fix = "make the file anew: lcm-optimize quantize";

/// Refuses scales that are no positive numbers.
void expect_scales(const at::Tensor& scales, const std::string& place) {
    const at::Tensor flat = scales.contiguous();
    const auto* scale = flat.const_data_ptr<float>();
    for (std::int64_t i = 0; i < flat.numel(); ++i)
        if (!std::isnormal(scale[i]) || scale[i] < 0)
            throw Error(ExitCode::data, place, fmt::format("is {} at [{}], no scale of steps", scale[i], i), quantize_fix);
}

}  // namespace

bool WeightSet::is_quantized(const Place& place) const {
    return place.cut == Cut::whole && place.name.ends_with(weight_name) &&
           files_[place.file].tensors().find(place.name)->second.dtype == Dtype::I8;
}

/// A tensor that belongs to a quantized weight.
at::Tensor WeightSet::companion(const std::string& name, Dtype dtype, at::IntArrayRef shape) {
    const Place& place = find(name);
    const std::string where = tensor_place(files_[place.file].path(), place.name);
    const Dtype stored = files_[place.file].tensors().find(place.name)->second.dtype;
    if (stored != dtype)
        throw Error(ExitCode::data, where, fmt::format("the dtype is {}, expected {}", lcm::name(stored), lcm::name(dtype)), quantize_fix);
    used_.insert(name);
    const at::Tensor tensor = piece_of(place, shape);
    if (dtype == Dtype::F32) expect_scales(tensor, where);
    return tensor;
}

nn::QuantizedWeight WeightSet::quantized(const std::string& module, at::IntArrayRef shape) {
    const auto named = [&](std::string_view ending) { return module + std::string(ending); };
    nn::QuantizedWeight weight;
    weight.steps = piece_of(find(named(weight_name)), shape).reshape(shape);
    used_.insert(named(weight_name));
    weight.scale = companion(named(weight_scale_name), Dtype::F32, {shape.front()});
    weight.input.scale = companion(named(input_scale_name), Dtype::F32, {1}).item<float>();
    weight.input.zero_point = companion(named(input_zero_point_name), Dtype::U8, {1}).item<std::uint8_t>();
    return weight;
}

std::shared_ptr<const nn::Product> WeightSet::product(const std::string& module, const nn::ProductShape& shape) {
    const auto found = where_.find(module + std::string(weight_name));
    if (!int8_ || found == where_.end() || !is_quantized(found->second)) return nullptr;
    const std::vector<std::int64_t> sizes = shape.weight();
    if (at::IntArrayRef sums(sizes); c10::multiply_integers(sums.slice(1)) > nn::longest_int8_sum)
        throw Error(ExitCode::data, tensor_place(files_[found->second.file].path(), found->second.name),
                    fmt::format("sums of more than {} products do not fit 32 bits", nn::longest_int8_sum), quantize_fix);
    const nn::QuantizedWeight weight = quantized(module, sizes);
    const at::Tensor bias = shape.bias ? take(module + ".bias", {shape.out}) : at::Tensor();
    const nn::Scope scope(*this, module);
    return nn::quantized_product(shape, weight, bias, type_, &scope);
}

}  // namespace lcm
