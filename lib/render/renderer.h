#pragma once

#include <cstdint>
#include <memory>

#include "lib/core/bundle/bundle.h"
#include "lib/image/image.h"
#include "lib/stream/record.h"

namespace lcm {

/// Pixels of a picture from which on it is decoded in tiles unless something else is asked for: a whole decode takes 2 KiB of memory a
/// pixel in bf16, and the double in f32.
constexpr std::int64_t whole_decode_pixels = std::int64_t{2560} * 1024;
/// The side of a tile, as in the reference's published VAE.
constexpr std::int64_t usual_tile = 512;

/// How a picture is decoded: in tiles of `side` pixels where it has more than `above`; 0 for the side: always as a whole.
struct Tiling {
    std::int64_t side = usual_tile;
    std::int64_t above = whole_decode_pixels;
};

/// Latents to pictures through the model's VAE.
class Renderer {
public:
    /// Loads the VAE. @throws Error(no_input) when the model has none, Error(data) when it is broken
    explicit Renderer(const Bundle& bundle, const Tiling& tiling = {});
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
