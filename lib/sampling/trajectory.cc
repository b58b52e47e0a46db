#include "lib/sampling/trajectory.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/core/tensor/convert.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr const char* start_again = "start the picture again from its conditioning";

[[noreturn]] void refuse(const Record& record, const std::string& what) { throw Error(ExitCode::data, record.place, what, start_again); }

std::uint64_t read_u64(const Record& record, std::string_view key) {
    const auto value = parse_u64(record.at(key));
    if (!value) refuse(record, fmt::format("{} is not a whole number", key));
    return *value;
}

/// The saved latent, in the sampler's own f32: a narrowed one would end in another picture.
at::Tensor saved_tensor(const Record& record, std::string_view name, const std::vector<std::int64_t>& shape) {
    if (record.tensor(name, start_again).dtype != Dtype::F32) refuse(record, fmt::format("{} of an unfinished picture is not F32", name));
    return record_tensor(record, name, shape);
}

/// The kept depth of the UNet, in the type of its weights.
at::Tensor saved_deep(const Record& record, const std::vector<std::int64_t>& shape) {
    const at::Tensor deep = to_torch(record.tensor(tensor::unet_deep, start_again));
    expect_shape(deep, {-1, -1, shape[1], shape[2]}, fmt::format("{}: {}", record.place, tensor::unet_deep));
    expect_finite(deep, fmt::format("{}: {}", record.place, tensor::unet_deep));
    return deep;
}

NoiseGenerator restore_noise(const Record& record, const RunSettings& settings) {
    const NoiseSource source = settings.noise_source();
    const std::uint64_t draws = read_u64(record, key::rng_draws);
    if (source.rng == Rng::philox) return NoiseGenerator::restore(source, draws);
    NoiseGenerator noise = NoiseGenerator::restore(record.tensor(tensor::rng_state, start_again), draws, source);
    if (noise.seed() != settings.seed)
        refuse(record, fmt::format("{} began with seed {}, {} is {}", tensor::rng_state, noise.seed(), key::seed, settings.seed));
    return noise;
}

void check_timesteps(const Record& record, int step, const std::vector<double>& timesteps) {
    const std::string ours = format_timesteps(timesteps);
    const std::string& theirs = record.at(key::timesteps);
    if (theirs != ours) refuse(record, fmt::format("{} is {}, but {} gives {}", key::timesteps, theirs, key::schedule, ours));
    const std::string next = format_number(timesteps[static_cast<std::size_t>(step)]);
    const std::string& recorded = record.at(key::timestep);
    if (recorded != next) refuse(record, fmt::format("{} is {}, but step {} stands at {}", key::timestep, recorded, step, next));
}

std::string memory_name(std::string_view name) { return fmt::format("{}{}", tensor::sched_prefix, name); }

void put(Record& record, std::string_view name, const at::Tensor& tensor) {
    record.tensors.insert_or_assign(std::string(name), from_torch(tensor.squeeze(0)));
}

void drop(auto& map, std::string_view name) {
    if (const auto found = map.find(name); found != map.end()) map.erase(found);
}

/// Takes out what an earlier part of the run has left.
void clear(Record& record) {
    std::erase_if(record.tensors, [](const auto& entry) { return entry.first.starts_with(tensor::sched_prefix); });
    for (const std::string_view name : {tensor::latent_denoised, tensor::rng_state, tensor::noise, tensor::unet_deep})
        drop(record.tensors, name);
    for (const std::string_view name : {key::rng_draws, key::timestep}) drop(record.metadata, name);
}

}  // namespace

Trajectory Trajectory::start(const Record& record, const RunSettings& settings, const Sampler& sampler,
                             const std::vector<std::int64_t>& shape) {
    const bool drawn_from = record.find(key::rng_draws) != nullptr;
    const bool start_unused = settings.inpainting && settings.strength.value_or(Strength()).value == 1;
    const bool goes_on = drawn_from && !start_unused;
    Trajectory run{{}, goes_on ? restore_noise(record, settings) : NoiseGenerator(settings.noise_source()), {}, {}, {}, {}};
    const bool given = record.tensors.contains(tensor::noise);
    const std::vector<std::int64_t> batch{1, shape[0], shape[1], shape[2]};
    const at::Tensor noise = given ? record_tensor(record, tensor::noise, shape) : run.noise.normal(batch);
    const std::optional<StartImage> image = StartImage::read(record, shape);
    run.state.sample = image ? image->begin(sampler, settings.strength.value_or(Strength()).value, noise) : noise * sampler.start_scale();
    if (settings.inpainting) {
        run.inpaint = InpaintInput::read(record, shape);
        if (run.inpaint->deviation.defined()) run.inpaint->sample(run.noise.normal(batch));
        return run;
    }
    if (!image || !image->masked()) return run;
    if (drawn_from) run.noise.normal(batch);
    run.image = image;
    run.start_noise = noise;
    return run;
}

Trajectory Trajectory::restore(const Record& record, const RunSettings& settings, const Sampler& sampler,
                               const std::vector<std::int64_t>& shape) {
    Trajectory run{{}, restore_noise(record, settings), {}, {}, {}, {}};
    run.state.step = progress_of(record).done;
    check_timesteps(record, run.state.step, sampler.timesteps());
    run.state.sample = saved_tensor(record, tensor::latent, shape);
    if (run.state.step > 0) run.state.denoised = saved_tensor(record, tensor::latent_denoised, shape);
    for (const std::string& name : sampler.memory(run.state.step)) run.state.memory[name] = saved_tensor(record, memory_name(name), shape);
    if (run.state.step % settings.reuse_deep != 0) run.deep = saved_deep(record, shape);
    if (settings.inpainting)
        run.inpaint = InpaintInput::read(record, shape);
    else
        run.image = StartImage::read(record, shape);
    if (run.image) run.start_noise = saved_tensor(record, tensor::noise, shape);
    return run;
}

void Trajectory::step(const Sampler& sampler, const DenoiseFunction& network) {
    sampler.step(state, network, noise);
    if (image) image->keep_unmasked(state, sampler, start_noise);
}

void Trajectory::save(Record& record, const Sampler& sampler, int interval) const {
    clear(record);
    put(record, tensor::latent, state.sample);
    record.set(key::step, std::to_string(state.step));
    const bool done = std::cmp_equal(state.step, sampler.timesteps().size());
    if (done || !image) drop(record.tensors, tensor::latent_init);
    if (done || (!image && !inpaint)) drop(record.tensors, tensor::latent_mask);
    for (const std::string_view name : {tensor::latent_masked, tensor::latent_masked_std}) drop(record.tensors, name);
    if (done) return;
    if (inpaint) put(record, tensor::latent_masked, inpaint->masked);
    if (state.denoised.defined()) put(record, tensor::latent_denoised, state.denoised);
    for (const auto& [name, tensor] : state.memory) put(record, memory_name(name), tensor);
    if (image) put(record, tensor::noise, start_noise);
    if (reuses_deep(interval)) record.tensors.insert_or_assign(std::string(tensor::unet_deep), from_torch(deep));
    if (noise.rng() == Rng::torch_cpu) record.tensors.insert_or_assign(std::string(tensor::rng_state), noise.state());
    record.set(key::rng_draws, std::to_string(noise.draws()));
    record.set(key::timestep, format_number(sampler.timesteps()[static_cast<std::size_t>(state.step)]));
}

Progress progress_of(const Record& record) {
    const std::uint64_t done = read_u64(record, key::step), steps = read_u64(record, key::steps);
    if (done > steps || steps > INT32_MAX) refuse(record, fmt::format("{} is {} of {} {}", key::step, done, key::steps, steps));
    return {static_cast<int>(done), static_cast<int>(steps)};
}

}  // namespace lcm
