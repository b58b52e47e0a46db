#include "lib/sampling/sigmas.h"

#include <doctest/doctest.h>

#include "lib/sampling/beta_quantile.h"
#include "lib/sampling/spacing.h"

using namespace lcm;

namespace {

std::vector<double> spaced(TimestepSpacing spacing, int steps, SpacingRule rule, int offset = 0) {
    SchedulerConfig config;
    config.timestep_spacing = spacing;
    config.steps_offset = offset;
    return spaced_timesteps(config, steps, rule);
}

}  // namespace

TEST_CASE("timesteps of each spacing") {
    using enum TimestepSpacing;
    CHECK(spaced(leading, 4, SpacingRule::whole, 1) == std::vector<double>{751, 501, 251, 1});
    CHECK(spaced(leading, 4, SpacingRule::inner, 1) == std::vector<double>{801, 601, 401, 201});
    CHECK(spaced(trailing, 4, SpacingRule::whole) == std::vector<double>{999, 749, 499, 249});
    CHECK(spaced(trailing, 3, SpacingRule::inner) == std::vector<double>{999, 666, 332});
    CHECK(spaced(linspace, 3, SpacingRule::whole) == std::vector<double>{999, 500, 0});  // 499.5 is rounded to even
    CHECK(spaced(linspace, 3, SpacingRule::fractional) == std::vector<double>{999, 499.5, 0});
    CHECK(spaced(linspace, 2, SpacingRule::inner) == std::vector<double>{999, 500});
    CHECK(spaced(linspace, 1, SpacingRule::whole) == std::vector<double>{0});
    for (int steps = 1; steps < 1000; steps += 7)  // the reference's arange can give one step more here, at timestep -1
        CHECK(spaced(trailing, steps, SpacingRule::whole).back() >= 0);
}

TEST_CASE("noise levels of the published trailing schedule") {
    SchedulerConfig config;
    config.timestep_spacing = TimestepSpacing::trailing;
    const auto schedule = sigma_schedule(config, 4, {SpacingRule::fractional, true, TimestepRounding::none});
    const std::vector<double> want{14.6146, 4.0817, 1.6129, 0.6932, 0};
    REQUIRE(schedule.sigmas.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i) CHECK(schedule.sigmas[i] == doctest::Approx(want[i]).epsilon(1e-4));
}

TEST_CASE("the spacings of sigmas fall between the ends of the schedule") {
    SchedulerConfig config;
    for (const SigmaSpacing spacing : {SigmaSpacing::karras, SigmaSpacing::exponential, SigmaSpacing::beta, SigmaSpacing::lu}) {
        config.sigma_spacing = spacing;
        const auto schedule = sigma_schedule(config, 6, {SpacingRule::inner, false, TimestepRounding::none});
        CHECK(schedule.sigmas.front() == doctest::Approx(14.61464).epsilon(1e-6));
        CHECK(schedule.sigmas[5] == doctest::Approx(0.02917).epsilon(1e-3));
        CHECK(schedule.timesteps.front() == doctest::Approx(999).epsilon(1e-5));
        for (std::size_t i = 1; i < schedule.sigmas.size(); ++i) CHECK(schedule.sigmas[i] < schedule.sigmas[i - 1]);
    }
}

TEST_CASE("quantiles of the beta distribution") {
    CHECK(beta_quantile(0, 0.6) == 0);
    CHECK(beta_quantile(1, 0.6) == 1);
    CHECK(beta_quantile(0.5, 0.6) == doctest::Approx(0.5).epsilon(1e-12));
    // With both parameters 1/2 the distribution is the arcsine one: sin^2(pi p / 2).
    CHECK(beta_quantile(0.2, 0.5) == doctest::Approx(0.0954915028125263).epsilon(1e-12));
    CHECK(beta_quantile(0.9, 0.5) == doctest::Approx(0.9755282581475768).epsilon(1e-12));
    CHECK(beta_quantile(0.3, 1) == doctest::Approx(0.3).epsilon(1e-12));
}
