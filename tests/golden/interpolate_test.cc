#include "lib/render/interpolate.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/golden/golden_case.h"

using namespace lcm;

namespace {

std::span<const double> numbers(const at::Tensor& tensor) {
    return {tensor.const_data_ptr<double>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

TEST_CASE("latents are mixed along the sphere and along the line") {
    golden::check_group("interpolate", [](const golden::Case& one) -> golden::Results {
        const at::Tensor a = one.input("a"), b = one.input("b");
        golden::Results results;
        for (const Json& json : one.args().at("fractions").as_array()) {
            const double fraction = json.as_number();
            results[fmt::format("slerp_{:.3f}", fraction)] = at::tensor(slerp(numbers(a), numbers(b), fraction)).view_as(a);
            results[fmt::format("lerp_{:.3f}", fraction)] = at::tensor(lerp(numbers(a), numbers(b), fraction)).view_as(a);
        }
        return results;
    });
}
