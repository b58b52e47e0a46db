#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/core/bundle/bundle.h"
#include "lib/sampling/observer.h"
#include "lib/stream/record.h"

namespace lcm {

/// Why a layer stays whose results err too much.
inline constexpr const char* error_reason = "error";

/// A product that stays in numbers, or was compared in bytes.
struct LayerReport {
    std::string module;
    std::string reason;  ///< why it stays; empty for one in int8
    double error = 0;    ///< of its results in int8, relative to their root mean square; 0 where it was not compared
};

/// What `lcm-optimize quantize` did, and what it costs.
struct QuantizeReport {
    std::string model;  ///< as the user named it
    std::size_t records = 0;
    int steps = 0;
    Precision plain = Precision::f32;         ///< the faster precision of this CPU
    double error_f32 = 0, error_plain = 0;    ///< of the last latents in int8 against f32 and against `plain`: root mean square, relative
    double plain_error_f32 = 0;               ///< of those in `plain` against f32
    std::uint64_t bytes_before = 0, bytes_after = 0;  ///< of the UNet's weights
    std::vector<LayerReport> layers;          ///< in name order
};

/// What a user says of a quantization.
struct QuantizeSettings {
    int steps = 4;
    bool every_layer = false;  ///< those too that win no time
    Existing existing = Existing::keep;
};

/// Copies the model folder `model_dir` to `out_dir` with the products of its UNet in int8 (`core/nn/quantized.h`).
///
/// The UNet draws the pictures of `records`, of seeds from 0, and every product's inputs are watched over all steps. Then each product is
/// made in int8 beside the plain one, on the same pictures. Those stay plain that win no time (`fewest_products` and below) and those
/// whose results err by more than `largest_layer_error`. Last, the new model draws the pictures in int8, and their latents are compared.
/// Parts besides the UNet are copied; `quantization.json` in `out_dir` holds the report.
/// @param records  of lcm-encode, at least one
/// @throws Error(usage) for a checkpoint file, a quantized model, no records or one folder in the other; Error(refused) where this CPU has
///         no exact int8 products; Error(cannot_create), Error(data), Stopped
QuantizeReport quantize(const Bundle& model, const std::vector<Record>& records, const std::string& out_dir,
                        const QuantizeSettings& settings, Observer& observer);

/// The largest error of one product's results in int8, relative to their root mean square: a few times what the median product errs by.
inline constexpr double largest_layer_error = 0.05;

/// A short table for people, ending in a newline: errors, sizes and the layers that stay.
std::string report_text(const QuantizeReport& report);

/// One line of JSON with sorted keys, ending in a newline: {"bytes","latent_error","layers","model","records","steps"}.
std::string report_json(const QuantizeReport& report);

}  // namespace lcm
