#include "lib/core/weights/name_recorder.h"

#include <ATen/ops/empty.h>

namespace lcm {

at::Tensor NameRecorder::take(const std::string& name, at::IntArrayRef shape) {
    shapes_[name] = shape.vec();
    return at::empty(shape, at::TensorOptions().dtype(at::kFloat).device(at::kMeta));
}

std::vector<std::string> NameRecorder::names() const {
    std::vector<std::string> names;
    for (const auto& [name, shape] : shapes_) names.push_back(name);
    return names;
}

}  // namespace lcm
