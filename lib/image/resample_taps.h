#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace lcm {

/// One output sample of a one-dimensional filter: the weighted sum of the inputs `first`, `first + 1`, ...
template <typename Scalar>
struct Taps {
    int first = 0;
    std::vector<Scalar> weights;
};

/// The part [begin,end) of an axis of `size` samples that becomes `out` samples. Its ends may lie between samples or be equal.
template <typename Scalar>
struct Axis {
    int size = 0, out = 0;
    Scalar begin = 0, end = static_cast<Scalar>(size);
};

/// Taps of a window filter that is stretched by the factor of reduction, so that every input counts (Pillow; antialias of torch). Weights
/// add up to 1; the window is cut at the ends of the axis.
/// @param window   weight by distance, in input samples where the axis grows
/// @param support  half the width of the window
template <typename Scalar, typename Window>
std::vector<Taps<Scalar>> window_taps(const Axis<Scalar>& axis, Scalar support, const Window& window) {
    const Scalar scale = (axis.end - axis.begin) / static_cast<Scalar>(axis.out);
    const Scalar stretch = std::max(scale, Scalar{1}), reach = support * stretch, shrink = 1 / stretch;
    std::vector<Taps<Scalar>> taps(static_cast<std::size_t>(axis.out));
    for (int i = 0; i < axis.out; ++i) {
        Taps<Scalar>& one = taps[static_cast<std::size_t>(i)];
        const Scalar center = axis.begin + (static_cast<Scalar>(i) + Scalar{0.5}) * scale;
        one.first = std::max(static_cast<int>(center - reach + Scalar{0.5}), 0);
        const int last = std::min(static_cast<int>(center + reach + Scalar{0.5}), axis.size);
        Scalar sum = 0;
        for (int x = one.first; x < last; ++x) {
            one.weights.push_back(window((static_cast<Scalar>(x) - center + Scalar{0.5}) * shrink));
            sum += one.weights.back();
        }
        if (sum != 0)
            for (Scalar& weight : one.weights) weight /= sum;
    }
    return taps;
}

/// The triangle window; support 1.
template <typename Scalar>
Scalar triangle_window(Scalar x) {
    x = std::abs(x);
    return x < 1 ? 1 - x : Scalar{0};
}

/// Keys' cubic with parameter `a`; support 2.
template <typename Scalar>
Scalar cubic_window(Scalar x, Scalar a) {
    x = std::abs(x);
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : Scalar{0};
}

}  // namespace lcm
