#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "lib/core/nn/layers.h"
#include "lib/core/weights/weight_set.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

constexpr nn::ProductShape shape{.in = 3, .out = 2, .bias = false};

/// A file with the quantized layer "to_q", [2,3].
std::vector<StoredTensor> quantized_layer() {
    return {{"to_q.weight_scale", "F32", {2}, bytes_of<float>({0.5F, 2})},
            {"to_q.input_scale", "F32", {1}, bytes_of<float>({0.25F})},
            {"to_q.input_zero_point", "U8", {1}, bytes_of<std::uint8_t>({7})},
            {"to_q.weight", "I8", {2, 3}, bytes_of<std::int8_t>({1, -127, 0, 100, 27, 127})}};
}

std::string written(const TemporaryFolder& folder, const std::vector<StoredTensor>& tensors) {
    return write_file(folder / "unet.safetensors", safetensors_bytes(tensors));
}

StoredTensor& tensor_of(std::vector<StoredTensor>& tensors, std::string_view ending) {
    return *std::ranges::find_if(tensors, [&](const StoredTensor& tensor) { return tensor.name.ends_with(ending); });
}

/// Both ways to use the layer refuse the file, and name it and the tensor.
void check_refused(const std::vector<StoredTensor>& tensors, const std::string& tensor, const std::string& fault) {
    const TemporaryFolder folder;
    const std::string path = written(folder, tensors);
    WeightSet set({WeightFile(path)}, at::kFloat);
    check_error(ExitCode::data, {path, "tensor \"" + tensor + "\"", fault}, [&] { set.take("to_q.weight", {2, 3}); });
    set.multiply_in_int8();
    check_error(ExitCode::data, {path, "tensor \"" + tensor + "\"", fault}, [&] { set.product("to_q", shape); });
}

}  // namespace

TEST_CASE("a quantized weight is taken as numbers, and all of it is used") {
    const TemporaryFolder folder;
    WeightSet set({WeightFile(written(folder, quantized_layer()))}, at::kFloat);
    CHECK(set.product("to_q", shape) == nullptr);
    CHECK(at::equal(set.take("to_q.weight", {2, 3}), at::tensor({0.5F, -63.5F, 0.0F, 200.0F, 54.0F, 254.0F}).view({2, 3})));
    set.expect_all_used();
}

TEST_CASE("a product takes the weight, its scales and its range") {
    const TemporaryFolder folder;
    WeightSet set({WeightFile(written(folder, quantized_layer()))}, at::kFloat);
    set.multiply_in_int8();
    CHECK(set.product("other", shape) == nullptr);
    const auto product = set.product("to_q", shape);
    REQUIRE(product != nullptr);
    set.expect_all_used();
    if (!nn::has_quantized_products()) return;
    // 1, 0.5 and -0.25 are 4, 2 and -1 steps: 4 - 254 and 400 + 54 - 127 products of steps.
    const at::Tensor result = (*product)(at::tensor({1.0F, 0.5F, -0.25F}).view({1, 1, 3}), {});
    CHECK(result.flatten()[0].item<float>() == doctest::Approx(-250 * 0.25 * 0.5));
    CHECK(result.flatten()[1].item<float>() == doctest::Approx(327 * 0.25 * 2));
}

TEST_CASE("what does not fit beside a quantized weight is refused by name") {
    for (const char* ending : {"weight_scale", "input_scale", "input_zero_point"}) {
        CAPTURE(ending);
        const std::string name = std::string("to_q.") + ending;
        auto tensors = quantized_layer();
        std::erase_if(tensors, [&](const StoredTensor& tensor) { return tensor.name == name; });
        check_refused(tensors, name, "missing");
        tensors = quantized_layer();
        StoredTensor& wide = tensor_of(tensors, name);
        wide.shape = {1, wide.shape.front()};
        check_refused(tensors, name, "shape");
        tensors = quantized_layer();
        StoredTensor& other = tensor_of(tensors, name);
        other.dtype = other.dtype == "U8" ? "I8" : "I32";
        check_refused(tensors, name, "dtype");
    }
    auto tensors = quantized_layer();
    tensor_of(tensors, "to_q.weight").shape = {3, 2};
    check_refused(tensors, "to_q.weight", "[3,2]");
}

TEST_CASE("scales that are no positive numbers are refused") {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (const float scale : {0.0F, -1.0F, infinity, std::numeric_limits<float>::quiet_NaN(), 1e-45F}) {
        auto tensors = quantized_layer();
        tensor_of(tensors, "weight_scale").data = bytes_of<float>({1, scale});
        check_refused(tensors, "to_q.weight_scale", "at [1]");
        tensors = quantized_layer();
        tensor_of(tensors, "input_scale").data = bytes_of<float>({scale});
        check_refused(tensors, "to_q.input_scale", "no scale");
    }
}
