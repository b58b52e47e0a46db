#pragma once

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
    void check() const;
};

}  // namespace lcm::cli
