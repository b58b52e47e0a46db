#include "lib/sampling/explain.h"

#include <fmt/format.h>

#include "lib/base/number.h"
#include "lib/sampling/convention.h"

namespace lcm {
namespace {

std::string head(const RunSettings& settings, const Sampler& sampler) {
    std::string line = fmt::format("sampler {}, {} steps, {}x{}, guidance {}, seed {}, rng {}, start noise x {}", settings.sampler,
                                   settings.steps, settings.width, settings.height, format_number(settings.guidance), settings.seed,
                                   name_of(settings.rng), fmt::format("{:.6g}", sampler.start_scale()));
    if (settings.eta > 0) line += fmt::format(", eta {}", format_number(settings.eta));
    if (settings.strength)
        line += fmt::format(", strength {} by the rule {}", format_number(settings.strength->value), name_of(settings.strength->rule));
    return line + "\n";
}

}  // namespace

std::string explain(const RunSettings& settings) {
    const auto sampler = make_sampler(settings.sampler, settings.plan());
    std::string text =
        head(settings, *sampler) + fmt::format("{:>4} {:>10} {:>12} {:>12} {:>5}", "step", "timestep", "alpha", "sigma", "draws");
    for (const auto& [name, unused] : sampler->facts(0).more) text += fmt::format(" {:>14}", name);
    text += "\n";
    for (int step = 0; step < settings.steps; ++step) {
        const StepFacts facts = sampler->facts(step);
        text += fmt::format("{:>4} {:>10.7g} {:>12.7g} {:>12.7g} {:>5}", step, facts.timestep, facts.alpha, facts.sigma, facts.draws);
        for (const auto& [unused, value] : facts.more) text += fmt::format(" {:>14.8g}", value);
        text += "\n";
    }
    return text + "\n" + settings.schedule.to_json(sampler_kind(settings.sampler, ExitCode::software, "sampler").settings) + "\n";
}

}  // namespace lcm
