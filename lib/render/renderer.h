#pragma once

#include <memory>

#include "lib/core/bundle/bundle.h"
#include "lib/image/image.h"
#include "lib/stream/record.h"

namespace lcm {

/// Latents to pictures through the model's VAE.
class Renderer {
public:
    /// Loads the VAE. @throws Error(no_input) when the model has none, Error(data) when it is broken
    explicit Renderer(const Bundle& bundle);
    ~Renderer();

    /// The picture of a finished record; of a mid-trajectory one its `latent.denoised`, refused where that is missing.
    /// pixel = round-half-even(255 * clamp(x / 2 + 0.5)).
    /// @throws Error(data) when there is no latent, when channels, scale, layout, family or VAE hash contradict the model, or on NaN;
    ///         Error(refused) for pictures above the limits
    Image render(const Record& record) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lcm
