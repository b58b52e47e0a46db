#include "lib/sampling/trajectory.h"

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

/// A tensor of the record as [1,C,h,w], in memory of its own.
at::Tensor latent_tensor(const Record& record, std::string_view name, const std::vector<std::int64_t>& shape) {
    const at::Tensor stored = to_torch(record.tensor(name, start_again));
    expect_shape(stored, shape, fmt::format("{}: {}", record.place, name));
    return stored.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true).unsqueeze(0);
}

/// The saved latent, in the sampler's own f32: a narrowed one would end in another picture.
at::Tensor saved_tensor(const Record& record, std::string_view name, const std::vector<std::int64_t>& shape) {
    if (record.tensor(name, start_again).dtype != Dtype::F32) refuse(record, fmt::format("{} of an unfinished picture is not F32", name));
    return latent_tensor(record, name, shape);
}

NoiseGenerator restore_noise(const Record& record, std::uint64_t seed) {
    NoiseGenerator noise = NoiseGenerator::restore(record.tensor(tensor::rng_state, start_again), read_u64(record, key::rng_draws));
    if (noise.seed() != seed)
        refuse(record, fmt::format("{} began with seed {}, {} is {}", tensor::rng_state, noise.seed(), key::seed, seed));
    return noise;
}

void check_timesteps(const Record& record, int step, const std::vector<std::int64_t>& timesteps) {
    const std::string ours = format_timesteps(timesteps);
    const std::string& theirs = record.at(key::timesteps);
    if (theirs != ours) refuse(record, fmt::format("{} is {}, but {} gives {}", key::timesteps, theirs, key::schedule, ours));
    const std::string next = std::to_string(timesteps[static_cast<std::size_t>(step)]);
    const std::string& recorded = record.at(key::timestep);
    if (recorded != next) refuse(record, fmt::format("{} is {}, but step {} stands at {}", key::timestep, recorded, step, next));
}

}  // namespace

Trajectory Trajectory::start(const Record& record, std::uint64_t seed, const std::vector<std::int64_t>& shape) {
    Trajectory run{{}, NoiseGenerator(seed)};
    const bool given = record.tensors.contains(tensor::noise);
    run.state.sample = given ? latent_tensor(record, tensor::noise, shape) : run.noise.normal({1, shape[0], shape[1], shape[2]});
    return run;
}

Trajectory Trajectory::restore(const Record& record, const RunSettings& settings, const std::vector<std::int64_t>& timesteps,
                               const std::vector<std::int64_t>& shape) {
    Trajectory run{{}, restore_noise(record, settings.seed)};
    run.state.step = progress_of(record).done;
    check_timesteps(record, run.state.step, timesteps);
    run.state.sample = saved_tensor(record, tensor::latent, shape);
    if (run.state.step > 0) run.state.denoised = saved_tensor(record, tensor::latent_denoised, shape);
    return run;
}

void Trajectory::save(Record& record, const std::vector<std::int64_t>& timesteps) const {
    const auto put = [&](std::string_view name, const at::Tensor& tensor) {
        record.tensors.insert_or_assign(std::string(name), from_torch(tensor.squeeze(0)));
    };
    const auto drop = [](auto& map, std::string_view name) {
        if (const auto found = map.find(name); found != map.end()) map.erase(found);
    };
    put(tensor::latent, state.sample);
    record.set(key::step, std::to_string(state.step));
    drop(record.tensors, tensor::noise);
    if (std::cmp_less(state.step, timesteps.size())) {
        if (state.denoised.defined()) put(tensor::latent_denoised, state.denoised);
        record.tensors.insert_or_assign(std::string(tensor::rng_state), noise.state());
        record.set(key::rng_draws, std::to_string(noise.draws()));
        record.set(key::timestep, std::to_string(timesteps[static_cast<std::size_t>(state.step)]));
        return;
    }
    for (const std::string_view name : {tensor::latent_denoised, tensor::rng_state}) drop(record.tensors, name);
    for (const std::string_view name : {key::rng_draws, key::timestep}) drop(record.metadata, name);
}

Progress progress_of(const Record& record) {
    const std::uint64_t done = read_u64(record, key::step), steps = read_u64(record, key::steps);
    if (done > steps || steps > INT32_MAX) refuse(record, fmt::format("{} is {} of {} {}", key::step, done, key::steps, steps));
    return {static_cast<int>(done), static_cast<int>(steps)};
}

}  // namespace lcm
