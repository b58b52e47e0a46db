#pragma once

#include <string_view>

/// Every metadata key and tensor name of lcm-stream 1 (stream-format, sections 5 and 6): the one place that spells them.
namespace lcm::key {

inline constexpr std::string_view prefix = "lcm.";
inline constexpr std::string_view version = "lcm.version";
inline constexpr std::string_view kind = "lcm.kind";
inline constexpr std::string_view seq = "lcm.seq";
inline constexpr std::string_view final = "lcm.final";
inline constexpr std::string_view count = "lcm.count";
inline constexpr std::string_view stream_sha256 = "lcm.stream_sha256";
inline constexpr std::string_view sha256 = "lcm.sha256";
inline constexpr std::string_view header_sha256 = "lcm.header_sha256";
inline constexpr std::string_view require = "lcm.require";
inline constexpr std::string_view id = "lcm.id";
inline constexpr std::string_view tool = "lcm.tool";
inline constexpr std::string_view history = "lcm.history";
inline constexpr std::string_view model = "lcm.model";
inline constexpr std::string_view arch = "lcm.arch";
inline constexpr std::string_view text_sha256 = "lcm.text_sha256";
inline constexpr std::string_view unet_sha256 = "lcm.unet_sha256";
inline constexpr std::string_view vae_sha256 = "lcm.vae_sha256";
inline constexpr std::string_view precision = "lcm.precision";
inline constexpr std::string_view device = "lcm.device";
inline constexpr std::string_view vae_scale = "lcm.vae_scale";
inline constexpr std::string_view latent_space = "lcm.latent_space";
inline constexpr std::string_view layout = "lcm.layout";
inline constexpr std::string_view size = "lcm.size";
inline constexpr std::string_view prompt = "lcm.prompt";
inline constexpr std::string_view negative_prompt = "lcm.negative_prompt";
inline constexpr std::string_view prompt_weights = "lcm.prompt_weights";
inline constexpr std::string_view clip_skip = "lcm.clip_skip";
inline constexpr std::string_view sampler = "lcm.sampler";
inline constexpr std::string_view schedule = "lcm.schedule";
inline constexpr std::string_view steps = "lcm.steps";
inline constexpr std::string_view step = "lcm.step";
inline constexpr std::string_view timesteps = "lcm.timesteps";
inline constexpr std::string_view timestep = "lcm.timestep";
inline constexpr std::string_view sigmas = "lcm.sigmas";
inline constexpr std::string_view guidance = "lcm.guidance";
inline constexpr std::string_view eta = "lcm.eta";
inline constexpr std::string_view token_merge = "lcm.token_merge";
inline constexpr std::string_view reuse_deep = "lcm.reuse_deep";
inline constexpr std::string_view strength = "lcm.strength";
inline constexpr std::string_view strength_rule = "lcm.strength_rule";
inline constexpr std::string_view seed = "lcm.seed";
inline constexpr std::string_view rng = "lcm.rng";
inline constexpr std::string_view rng_draws = "lcm.rng_draws";
inline constexpr std::string_view source = "lcm.source";
inline constexpr std::string_view index = "lcm.index";
inline constexpr std::string_view traceparent = "lcm.traceparent";
inline constexpr std::string_view adapters = "lcm.adapters";
inline constexpr std::string_view steering = "lcm.steering";
inline constexpr std::string_view error_code = "lcm.error_code";
inline constexpr std::string_view error = "lcm.error";
inline constexpr std::string_view error_scope = "lcm.error_scope";

}  // namespace lcm::key

namespace lcm::kind {

inline constexpr std::string_view latent = "latent";
inline constexpr std::string_view cond = "cond";
inline constexpr std::string_view noise = "noise";
inline constexpr std::string_view image = "image";
inline constexpr std::string_view end = "end";
inline constexpr std::string_view error = "error";

}  // namespace lcm::kind

/// Values of `lcm.error_scope`.
namespace lcm::scope {

inline constexpr std::string_view stream = "stream";
inline constexpr std::string_view record = "record";

}  // namespace lcm::scope

/// Values of `lcm.latent_space` and `lcm.layout`.
namespace lcm::value {

inline constexpr std::string_view scaled_space = "scaled";
inline constexpr std::string_view vae_space = "vae";
inline constexpr std::string_view chw = "CHW";

}  // namespace lcm::value

namespace lcm::tensor {

inline constexpr std::string_view latent = "latent";
inline constexpr std::string_view latent_denoised = "latent.denoised";
inline constexpr std::string_view latent_init = "latent.init";
inline constexpr std::string_view latent_mask = "latent.mask";
inline constexpr std::string_view latent_masked = "latent.masked";
inline constexpr std::string_view latent_masked_std = "latent.masked_std";
inline constexpr std::string_view noise = "noise";
inline constexpr std::string_view text_embeds = "text.embeds";
inline constexpr std::string_view text_pooled = "text.pooled";
inline constexpr std::string_view text_negative_embeds = "text.negative.embeds";
inline constexpr std::string_view text_negative_pooled = "text.negative.pooled";
inline constexpr std::string_view text_ids = "text.ids";
inline constexpr std::string_view text_time_ids = "text.time_ids";
inline constexpr std::string_view text_negative_time_ids = "text.negative.time_ids";
inline constexpr std::string_view image_features = "image.features";
inline constexpr std::string_view sketch_strokes = "sketch.strokes";
inline constexpr std::string_view sketch_embeds = "sketch.embeds";
inline constexpr std::string_view control_prefix = "control.";
inline constexpr std::string_view image = "image";
inline constexpr std::string_view rng_state = "rng.state";
inline constexpr std::string_view unet_deep = "unet.deep";
inline constexpr std::string_view sched_prefix = "sched.";

}  // namespace lcm::tensor
