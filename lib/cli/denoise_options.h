#pragma once

#include <cstddef>
#include <string>

#include "lib/cli/sampler_options.h"
#include "lib/sampling/request.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// Flags of the denoising loop; what is not given comes from the record or the model.
struct DenoiseOptions {
    DenoiseRequest request;
    SamplerOptions sampler;
    std::size_t fuse_batch = 1;  ///< pictures denoised together

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
