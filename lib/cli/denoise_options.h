#pragma once

#include <string>

#include "lib/sampling/denoiser.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// Flags of the denoising loop; what is not given comes from the record or the model.
struct DenoiseOptions {
    DenoiseRequest request;

    void declare(CLI::App& app);
    /// @throws Error(usage)
    void check();

    /// `--from comfy` and `--to comfy`: formats, where a number is a step.
    bool from_comfy() const;
    bool to_comfy() const;

private:
    std::string from_, to_;
};

}  // namespace lcm::cli
