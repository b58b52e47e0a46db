#include "lib/sampling/recorded_wishes.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "lib/base/number.h"
#include "lib/sampling/convention.h"
#include "lib/sampling/run_settings.h"
#include "lib/sampling/settings_reader.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr const char* correct = "correct what the record asks for";
constexpr std::uint64_t most_steps = 1'000'000;

/// Takes a wish, which a flag may only repeat. @param text  of the wish, for the message
template <typename T>
void take(std::string_view what, std::optional<T>& flag, T wish, const std::string& text) {
    expect_same(what, !flag || *flag == wish, text);
    flag = std::move(wish);
}

void take_sampler(const Record& record, DenoiseRequest& request) {
    const std::string* wish = record.find(key::sampler);
    if (!wish) return;
    sampler_kind(parse_sampler_name(*wish).name, ExitCode::data, fmt::format("{}: {}", record.place, key::sampler));
    take("sampler", request.sampler, *wish, *wish);
}

void take_lists(const Record& record, const SettingsReader& reader, DenoiseRequest& request) {
    if (reader.has(key::timesteps)) take("timesteps", request.timesteps, reader.integers(key::timesteps), record.at(key::timesteps));
    if (reader.has(key::sigmas)) take("sigmas", request.sigmas, reader.numbers(key::sigmas), record.at(key::sigmas));
}

void take_strength(const Record& record, const SettingsReader& reader, DenoiseRequest& request) {
    if (reader.has(key::strength)) {
        if (!record.tensors.contains(tensor::latent_init))
            reader.refuse(key::strength, fmt::format("is about {}, which the record does not have", tensor::latent_init));
        take("strength", request.strength, reader.share(key::strength), record.at(key::strength));
    }
    if (reader.has(key::strength_rule)) take("strength rule", request.strength_rule, reader.strength_rule(), record.at(key::strength_rule));
}

}  // namespace

DenoiseRequest with_wishes(const Record& record, DenoiseRequest request) {
    const SettingsReader reader(record, correct);
    const auto number = [&](std::string_view key) { return reader.number(key); };
    take_sampler(record, request);
    if (reader.has(key::steps))
        take("steps", request.steps, static_cast<int>(reader.count(key::steps, 1, most_steps)), record.at(key::steps));
    if (reader.has(key::guidance)) take("guidance", request.guidance, number(key::guidance), record.at(key::guidance));
    if (reader.has(key::eta)) take("eta", request.eta, number(key::eta), record.at(key::eta));
    if (reader.has(key::token_merge)) take("token merge", request.token_merge, number(key::token_merge), record.at(key::token_merge));
    if (reader.has(key::reuse_deep))
        take("reuse of deep blocks", request.reuse_deep, static_cast<int>(reader.count(key::reuse_deep, 1, most_steps)),
             record.at(key::reuse_deep));
    take_lists(record, reader, request);
    take_strength(record, reader, request);
    // Beside a count of draws it names the generator of a draw that is made already, and is no wish.
    if (reader.has(key::rng) && !reader.has(key::rng_draws)) take("rng", request.rng, reader.rng(), record.at(key::rng));
    return request;
}

}  // namespace lcm
