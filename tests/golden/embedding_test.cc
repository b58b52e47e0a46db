#include "lib/core/nn/embedding.h"

#include <doctest/doctest.h>

#include "tests/golden/golden_case.h"

using namespace lcm;

TEST_CASE("sinusoidal embeddings of timesteps and guidance") {
    golden::check_group("embedding", [](const golden::Case& one) -> golden::Results {
        const Json& args = one.args();
        const std::int64_t dim = args.at("dim").as_integer();
        if (one.has_input("w")) return {{"emb", nn::guidance_embedding(one.input("w"), dim)}};
        const bool flip = args.at("flip_sin_to_cos").as_bool();
        return {{"emb", nn::timestep_embedding(one.input("t"), dim, flip, args.at("downscale_freq_shift").as_number())}};
    });
}
