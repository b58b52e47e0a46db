#pragma once

#include "lib/core/bundle/bundle.h"
#include "lib/input/text/text_encoder.h"
#include "lib/render/renderer.h"
#include "lib/sampling/denoiser.h"
#include "tests/golden/golden_case.h"

namespace lcm::golden {

/// An adapter file and how much of it.
struct LoraUse {
    std::string path;
    double weight = 1;
    auto operator<=>(const LoraUse&) const = default;
};

/// What a case draws with: a model, a VAE in place of its own, layers of the text encoder to leave out, and adapters.
struct PipelineSetup {
    std::string model, vae;
    int clip_skip = 0;
    std::vector<LoraUse> loras;
    auto operator<=>(const PipelineSetup&) const = default;
};

/// The tools of one setup.
struct PipelineTools {
    explicit PipelineTools(const PipelineSetup& setup);

    Bundle bundle;
    AdapterSet adapters;
    TextEncoder encoder;
    Denoiser denoiser;
    Renderer renderer;
};

/// The tools that a case asks for, built once for all cases that ask for the same.
PipelineTools& tools_of(const Case& one);

}  // namespace lcm::golden
