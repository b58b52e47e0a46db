#pragma once

#include <ATen/core/Tensor.h>

#include <string_view>

namespace lcm {

/// What a DoRA means at a weight s other than 1 (lcm-facts, section 9); at 1 all agree. V = W + dW, n = its norm, m = the magnitude.
enum class DoraRule {
    automatic,  ///< that of the library the file comes from: `peft` for PEFT's names, else `linear`
    linear,     ///< W + s (m V/n - W)
    lycoris,    ///< V (s (m/n - 1) + 1)
    peft,       ///< m V/n with V = W + s dW
};

/// "auto", "linear", "lycoris", "peft". @throws Error(data) listing them for any other
DoraRule dora_rule(std::string_view name);
std::string_view name(DoraRule rule);

/// A weight's DoRA: its magnitude and the direction it stands along.
struct Dora {
    at::Tensor magnitude;    ///< one number an output or an input, any shape of that many numbers
    bool per_output = true;  ///< norm over the inputs of each output; else over all but the input channel
};

/// The change of `weight` (f64) by `delta` (f64, the same shape) and `dora` at weight `strength`. @param rule  not `automatic`
at::Tensor dora_change(const at::Tensor& weight, const at::Tensor& delta, const Dora& dora, DoraRule rule, double strength);

}  // namespace lcm
