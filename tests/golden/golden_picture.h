#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>

#include "lib/base/file.h"
#include "lib/image/codec.h"
#include "tests/golden/golden_case.h"

namespace lcm::golden {

/// The picture that a case's `file` names.
inline Image picture_of(const Case& one) {
    const MappedFile file(folder() + "/" + one.args().at("file").as_string());
    return read_png(file.bytes(), file.path());
}

/// The bytes as [H,W,C].
inline at::Tensor bytes_of(const Image& image) {
    return at::tensor(at::ArrayRef<std::uint8_t>(image.pixels)).view({image.height, image.width, image.channels});
}

}  // namespace lcm::golden
