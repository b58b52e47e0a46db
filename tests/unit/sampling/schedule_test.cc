#include "lib/sampling/schedule.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

using Timesteps = std::vector<std::int64_t>;

Timesteps timesteps(int steps, int original = 50, const Strength& strength = {}) {
    SchedulerConfig config;
    config.original_inference_steps = original;
    return lcm_timesteps(config, steps, strength);
}

SchedulerConfig custom(const Timesteps& list) {
    SchedulerConfig config;
    config.timesteps = list;
    return config;
}

constexpr Strength cut(double value) { return {Strength::Rule::cut, value}; }
constexpr Strength shortened(double value) { return {Strength::Rule::lcm, value}; }

}  // namespace

TEST_CASE("timesteps of the published table") {
    CHECK(timesteps(1) == Timesteps{999});
    CHECK(timesteps(2) == Timesteps{999, 499});
    CHECK(timesteps(3) == Timesteps{999, 679, 339});
    CHECK(timesteps(4) == Timesteps{999, 759, 499, 259});
    CHECK(timesteps(5) == Timesteps{999, 799, 599, 399, 199});
    CHECK(timesteps(6) == Timesteps{999, 839, 679, 499, 339, 179});
    CHECK(timesteps(7) == Timesteps{999, 859, 719, 579, 439, 299, 159});
    CHECK(timesteps(8) == Timesteps{999, 879, 759, 639, 499, 379, 259, 139});
    CHECK(timesteps(10) == Timesteps{999, 899, 799, 699, 599, 499, 399, 299, 199, 99});
    CHECK(timesteps(50).size() == 50);
    CHECK(timesteps(50).back() == 19);
}

TEST_CASE("indices follow the reference's float64, division first") {
    // Integer arithmetic would take index 15, timestep 494, at position 11.
    CHECK(timesteps(22, 30) ==
          Timesteps{989, 956, 923, 857, 824, 791, 725, 692, 659, 593, 560, 527, 461, 428, 362, 329, 296, 230, 197, 164, 98, 65});
    // int(50 * 0.58) is 28.
    CHECK(timesteps(4, 50, shortened(0.58)) == Timesteps{559, 419, 279, 139});
    CHECK(timesteps(4, 33) == Timesteps{989, 749, 509, 269});
    CHECK(timesteps(3, 1000) == Timesteps{999, 666, 333});
}

TEST_CASE("the two rules of strength") {
    CHECK(timesteps(4, 50, shortened(0.5)) == Timesteps{499, 379, 259, 139});
    CHECK(timesteps(4, 50, shortened(0.8)) == Timesteps{799, 599, 399, 199});
    CHECK(timesteps(2, 50, shortened(0.3)) == Timesteps{299, 159});
    CHECK(timesteps(4, 50, cut(0.5)) == Timesteps{499, 259});
    CHECK(timesteps(4, 50, cut(1.0)) == timesteps(4));
    CHECK(lcm_timesteps(custom({999, 749, 499, 249}), 4, shortened(0.5)) == Timesteps{499, 249});
    CHECK(lcm_timesteps(custom({999, 749, 499, 249}), 4, cut(0.8)) == Timesteps{749, 499, 249});
}

TEST_CASE("numbers that do not fit each other are refused") {
    const auto refused = [](std::initializer_list<std::string_view> words, const auto& action) {
        check_error(ExitCode::usage, words, action);
    };
    refused({"at least 1"}, [] { timesteps(0); });
    refused({"51", "50"}, [] { timesteps(51); });
    refused({"1001", "1000"}, [] { timesteps(4, 1001); });
    refused({"10", "5"}, [] { timesteps(10, 50, shortened(0.1)); });
    refused({"none of the 4 steps"}, [] { timesteps(4, 50, cut(0.2)); });
    refused({"strength"}, [] { timesteps(4, 50, cut(0)); });
    refused({"strength"}, [] { timesteps(4, 50, shortened(1.1)); });
    refused({"descend", "749"}, [] { lcm_timesteps(custom({499, 749}), 2); });
    refused({"descend"}, [] { lcm_timesteps(custom({499, 499}), 2); });
    refused({"0..999"}, [] { lcm_timesteps(custom({1000}), 1); });
    refused({"0..999"}, [] { lcm_timesteps(custom({5, -1}), 2); });
    refused({"3 steps", "list of 2"}, [] { lcm_timesteps(custom({999, 499}), 3); });
}

TEST_CASE("unusual custom timesteps are warned about") {
    CHECK(timestep_warnings(SchedulerConfig()).empty());
    CHECK(timestep_warnings(custom({999, 759, 499})).empty());

    const std::vector<std::string> off_grid = timestep_warnings(custom({999, 749, 499, 249}));
    REQUIRE(off_grid.size() == 1);
    CHECK(off_grid[0].find("749 249") != std::string::npos);

    const std::vector<std::string> late = timestep_warnings(custom({759, 499}));
    REQUIRE(late.size() == 1);
    CHECK(late[0].find("759, not 999") != std::string::npos);
    CHECK(timestep_warnings(custom({479, 259}), shortened(0.5)).empty());

    SchedulerConfig longer = custom({999, 499});
    longer.original_inference_steps = 1;
    CHECK(timestep_warnings(longer).size() == 2);
}

TEST_CASE("alpha-bar at the published timesteps") {
    // float32 values of the reference, exact.
    const std::vector<float> alphas = alphas_cumprod(SchedulerConfig());
    CHECK(alphas.size() == 1000);
    CHECK(alphas[999] == 0.00466009508818388F);
    CHECK(alphas[759] == 0.05221289023756981F);
    CHECK(alphas[499] == 0.27766942977905273F);
    CHECK(alphas[259] == 0.6589752435684204F);
    CHECK(alphas[19] == 0.9822439551353455F);
    CHECK(alphas[0] == 0.9991499781608582F);
}

TEST_CASE("trained betas replace the schedule, and zero-SNR rescaling ends at zero") {
    SchedulerConfig config;
    config.num_train_timesteps = 3;
    config.trained_betas = {0.5, 0.5, 0.75};
    CHECK(alphas_cumprod(config) == std::vector<float>{0.5F, 0.25F, 0.0625F});
    config.rescale_betas_zero_snr = true;
    const std::vector<float> alphas = alphas_cumprod(config);
    CHECK(alphas.front() == 0.5F);
    CHECK(alphas.back() == 0.0F);
    // sqrt(1/4) shifted by sqrt(1/16), scaled back to sqrt(1/2) at the first: ((1/4) s / (s - 1/4))^2, s = sqrt(1/2); float32 rounding.
    CHECK(alphas[1] == doctest::Approx(0.1495597).epsilon(1e-6));

    config.trained_betas = {1.0, 0.5, 0.5};
    check_error(ExitCode::data, {"cumulative product"}, [&] { alphas_cumprod(config); });
}
