#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include "lib/base/file.h"
#include "lib/image/codec.h"
#include "tests/golden/golden_case.h"

using namespace lcm;

TEST_CASE("PNG pictures are decoded to the same RGB") {
    golden::check_group("png", [](const golden::Case& one) -> golden::Results {
        const MappedFile file(golden::folder() + "/" + one.args().at("file").as_string());
        const Image image = read_png(file.bytes(), file.path());
        return {{"rgb", at::tensor(at::ArrayRef<std::uint8_t>(image.pixels)).view({image.height, image.width, image.channels})}};
    });
}
