#include "lib/sampling/scheduler_config.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

constexpr std::array<std::string_view, 7> lcm_keys{
    "thresholding",      "dynamic_thresholding_ratio", "sample_max_value",        "clip_sample",
    "clip_sample_range", "timestep_scaling",           "original_inference_steps"};

SchedulerConfig read(const std::string& text) { return SchedulerConfig::from_json(parse_json(text, "scheduler_config.json")); }

void check_refused(const std::string& text, std::initializer_list<std::string_view> words) {
    INFO("settings: ", text);
    check_error(ExitCode::data, words, [&] { read(text); });
}

}  // namespace

TEST_CASE("settings that are absent or null have the reference's defaults") {
    const SchedulerConfig config = read(R"({"_class_name":"LCMScheduler","trained_betas":null,"steps_offset":1,"set_alpha_to_one":true})");
    CHECK(config.num_train_timesteps == 1000);
    CHECK(config.beta_start == 0.00085);
    CHECK(config.beta_end == 0.012);
    CHECK(config.beta_schedule == BetaSchedule::scaled_linear);
    CHECK(config.prediction_type == PredictionType::epsilon);
    CHECK(config.original_inference_steps == 50);
    CHECK(config.timestep_scaling == 10.0);
    CHECK_FALSE(config.thresholding);
    CHECK_FALSE(config.clip_sample);
}

TEST_CASE("settings are one canonical object with sorted keys") {
    CHECK(SchedulerConfig().to_json(lcm_keys) ==
          R"({"beta_end":0.012,"beta_schedule":"scaled_linear","beta_start":0.00085,"clip_sample":false,"clip_sample_range":1,)"
          R"("dynamic_thresholding_ratio":0.995,"num_train_timesteps":1000,"original_inference_steps":50,"prediction_type":"epsilon",)"
          R"("rescale_betas_zero_snr":false,"sample_max_value":1,"thresholding":false,"timestep_scaling":10})");
}

TEST_CASE("every setting survives writing and reading") {
    const SchedulerConfig config =
        read(R"({"beta_end":0.02,"beta_schedule":"squaredcos_cap_v2","beta_start":1e-5,"clip_sample":true,"clip_sample_range":1.5,)"
             R"("dynamic_thresholding_ratio":0.9,"num_train_timesteps":4,"original_inference_steps":3,"prediction_type":"v_prediction",)"
             R"("rescale_betas_zero_snr":true,"sample_max_value":2.5,"thresholding":true,"timestep_scaling":0.1,)"
             R"("timesteps":[3,1],"trained_betas":[0.1,0.2,0.30000000000000004,0.4]})");
    const std::string text = config.to_json(lcm_keys);
    CHECK(text.find(R"("timesteps":[3,1],"trained_betas":[0.1,0.2,0.30000000000000004,0.4])") != std::string::npos);
    const SchedulerConfig again = read(text);
    CHECK(again.to_json(lcm_keys) == text);
    CHECK(again.beta_schedule == BetaSchedule::squaredcos_cap_v2);
    CHECK(again.prediction_type == PredictionType::v_prediction);
    CHECK(again.trained_betas == config.trained_betas);
    CHECK(again.timesteps == std::vector<std::int64_t>{3, 1});
    CHECK(again.timestep_scaling == 0.1);
    CHECK(again.rescale_betas_zero_snr);
    CHECK(again.thresholding);
    CHECK(again.clip_sample);
}

TEST_CASE("another scheduler class lends its betas and prediction type") {
    const SchedulerConfig config =
        read(R"({"_class_name":"PNDMScheduler","beta_end":0.02,"beta_schedule":"linear","beta_start":0.0001,"num_train_timesteps":500,)"
             R"("prediction_type":"v_prediction","skip_prk_steps":true,"steps_offset":1,"set_alpha_to_one":false})");
    CHECK(config.num_train_timesteps == 500);
    CHECK(config.beta_end == 0.02);
    CHECK(config.beta_schedule == BetaSchedule::linear);
    CHECK(config.prediction_type == PredictionType::v_prediction);
    CHECK(config.original_inference_steps == 50);
    check_refused(R"({"_class_name":"FlowMatchEulerDiscreteScheduler","shift":3.0})", {"scheduler_config.json", "beta_start"});
}

TEST_CASE("what is not implemented is refused by name") {
    check_refused(R"({"beta_schedule":"laplace"})", {"beta_schedule", "laplace", "scaled_linear"});
    check_refused(R"({"prediction_type":"flow_prediction"})", {"prediction_type", "flow_prediction", "v_prediction"});
    check_refused(R"({"solver_p":2})", {"solver_p"});
    check_refused(R"({"algorithm_type":"dpmsolver"})", {"algorithm_type", "dpmsolver++"});
    check_refused(R"({"variance_type":"learned"})", {"variance_type", "learned"});
    const std::string betas = R"("beta_start":0.1,"beta_end":0.2,"beta_schedule":"linear")";
    check_refused(R"({"_class_name":"UniPCMultistepScheduler","predict_x0":false,)" + betas + "}", {"predict_x0"});
    check_refused(R"({"_class_name":"UniPCMultistepScheduler","use_flow_sigmas":true,)" + betas + "}", {"use_flow_sigmas"});
    check_refused(R"({"_class_name":"EulerDiscreteScheduler","timestep_type":"continuous",)" + betas + "}", {"timestep_type"});
    check_refused(R"({"_class_name":"EulerDiscreteScheduler","interpolation_type":"log_linear",)" + betas + "}", {"interpolation_type"});
    check_refused(R"({"_class_name":"EulerDiscreteScheduler","sigma_max":80.0,)" + betas + "}", {"sigma_max"});
    check_refused(R"({"use_karras_sigmas":true,"use_beta_sigmas":true})", {"use_beta_sigmas", "use_karras_sigmas"});
    check_refused("null", {"scheduler_config.json"});
}

TEST_CASE("numbers out of range are refused by name") {
    check_refused(R"({"num_train_timesteps":0})", {"num_train_timesteps"});
    check_refused(R"({"num_train_timesteps":1000000000000})", {"num_train_timesteps"});
    check_refused(R"({"original_inference_steps":0})", {"original_inference_steps"});
    check_refused(R"({"beta_start":-0.1})", {"beta_start"});
    check_refused(R"({"beta_end":1.5})", {"beta_end"});
    check_refused(R"({"dynamic_thresholding_ratio":1.1})", {"dynamic_thresholding_ratio"});
    check_refused(R"({"sample_max_value":0})", {"sample_max_value"});
    check_refused(R"({"clip_sample_range":-1})", {"clip_sample_range"});
    check_refused(R"({"timestep_scaling":0})", {"timestep_scaling"});
    check_refused(R"({"trained_betas":[0.1,0.2]})", {"trained_betas", "2 values", "1000"});
    check_refused(R"({"trained_betas":[0.1,-0.2],"num_train_timesteps":2})", {"trained_betas"});
    check_refused(R"({"timesteps":[]})", {"timesteps"});
    check_refused(R"({"sigmas":[1.0]})", {"sigmas"});
    check_refused(R"({"sigmas":[1.0,-1.0]})", {"sigmas"});
    check_refused(R"({"solver_order":4})", {"solver_order", "1..3"});
    check_refused(R"({"steps_offset":-1})", {"steps_offset"});
    check_refused(R"({"guidance_rescale":1.5})", {"guidance_rescale"});
    check_refused(R"({"rng_rows":2,"rng_row":2})", {"rng_row"});
    check_refused(R"({"clip_sample":"yes"})", {"clip_sample"});
}
