#pragma once

#include <memory>

#include "lib/core/bundle/bundle.h"
#include "lib/image/image.h"
#include "lib/stream/record.h"

namespace lcm {

/// Latents to pictures through the model's VAE.
class Renderer {
public:
    explicit Renderer(const Bundle& bundle);
    ~Renderer();

    /// The picture of a finished record; of a mid-trajectory one its `latent.denoised`, refused where that is missing.
    /// pixel = round-half-even(255 * clamp(x / 2 + 0.5)). @throws Error(data) when channels, scale or VAE hash contradict the model
    Image render(const Record& record) const;

    /// SHA-256 of the VAE, for `lcm.vae_sha256`.
    const std::string& sha256() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lcm
