#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/sampling/request.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// Flags that choose the sampler, its schedule and its noise: one by one, by a preset, or as another program does.
class SamplerOptions {
public:
    bool explain = false;  ///< print the steps in numbers and draw nothing

    void declare(CLI::App& app);
    /// Puts what the flags say into `request`: single flags first, then the preset, then the other program's ways.
    /// @throws Error(usage)
    void fill(DenoiseRequest& request) const;

private:
    void declare_schedule(CLI::App& app);
    void declare_start(CLI::App& app);

    std::optional<std::string> sampler_, spacing_, preset_, like_, rng_, strength_rule_;
    std::optional<double> eta_, strength_, guidance_rescale_;
    std::optional<std::vector<double>> sigmas_;
    bool karras_ = false, zero_snr_ = false;
};

}  // namespace lcm::cli
