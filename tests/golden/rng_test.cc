#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/rand.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/number.h"
#include "lib/core/tensor/noise.h"
#include "tests/golden/golden_case.h"

using namespace lcm;

namespace {

at::ScalarType type_by_name(const std::string& name) {
    if (name == "float64") return at::kDouble;
    if (name == "float16") return at::kHalf;
    if (name == "bfloat16") return at::kBFloat16;
    REQUIRE(name == "float32");
    return at::kFloat;
}

/// The seed a case is named after: a JSON number would lose the last bits of the largest ones.
std::uint64_t seed_of(const golden::Case& one) {
    const std::string seed = one.id().substr(one.id().rfind('_') + 1);
    return seed == "-1" ? UINT64_MAX : parse_u64(seed).value();
}

std::vector<std::int64_t> integers(const Json& list) {
    std::vector<std::int64_t> values;
    for (const Json& value : list.as_array()) values.push_back(value.as_integer());
    return values;
}

/// One fresh generator a result.
golden::Results fresh(const golden::Case& one) {
    golden::Results results;
    const at::ScalarType type = type_by_name(one.args().at("dtype").as_string());
    for (const auto& [name, tolerance] : one.outputs())
        results[name] = NoiseGenerator(seed_of(one)).normal(one.expected(name).sizes(), type);
    return results;
}

/// One generator for draws of several sizes.
golden::Results consecutive(const golden::Case& one) {
    golden::Results results;
    NoiseGenerator noise(seed_of(one));
    for (const std::int64_t size : integers(one.args().at("sizes"))) {
        const std::string name = fmt::format("d{}", noise.draws());
        results[name] = noise.normal({size});
    }
    return results;
}

/// One generator for draws of several types and sizes.
golden::Results mixed(const golden::Case& one) {
    golden::Results results;
    NoiseGenerator noise(seed_of(one));
    for (const Json& draw : one.args().at("draws").as_array()) {
        const Json::Array& pair = draw.as_array();
        const std::string name = fmt::format("d{}", noise.draws());
        results[name] = noise.normal({pair[1].as_integer()}, type_by_name(pair[0].as_string()));
    }
    return results;
}

/// Two draws of a batch, a generator a row.
golden::Results generators(const golden::Case& one) {
    std::vector<at::Tensor> first, second;
    std::vector<std::int64_t> row = integers(one.args().at("shape"));
    row[0] = 1;
    for (const std::int64_t seed : integers(one.args().at("seeds"))) {
        NoiseGenerator noise(static_cast<std::uint64_t>(seed));
        first.push_back(noise.normal(row));
        second.push_back(noise.normal(row));
    }
    return {{"first", at::cat(first)}, {"second", at::cat(second)}};
}

golden::Results one_generator(const golden::Case& one) {
    NoiseGenerator noise(static_cast<std::uint64_t>(one.args().at("seed").as_integer()));
    const std::vector<std::int64_t> shape = integers(one.args().at("shape"));
    at::Tensor first = noise.normal(shape);
    return {{"first", first}, {"second", noise.normal(shape)}};
}

/// The uniforms below the normals, by the linked libtorch alone: one generator, f32 first.
golden::Results uniform(const golden::Case& one) {
    const auto seed = static_cast<std::uint64_t>(one.args().at("seed").as_integer());
    const at::Generator generator = at::detail::createCPUGenerator(seed);
    const std::vector<std::int64_t> shape = integers(one.args().at("shape"));
    at::Tensor f32 = at::rand(shape, generator, at::TensorOptions().dtype(at::kFloat));
    return {{"f32", f32}, {"f64", at::rand(shape, generator, at::TensorOptions().dtype(at::kDouble))}};
}

}  // namespace

TEST_CASE("random numbers equal the reference's") {
    golden::check_group("rng", [](const golden::Case& one) {
        if (one.id() == "rng/uniform") return uniform(one);
        if (one.id() == "rng/list_of_generators") return generators(one);
        if (one.id() == "rng/one_generator_batch") return one_generator(one);
        if (one.args().find("sizes")) return consecutive(one);
        return one.args().find("draws") ? mixed(one) : fresh(one);
    });
}
