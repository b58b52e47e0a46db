#pragma once

#include <span>
#include <vector>

namespace lcm {

/// Spherical interpolation of two latents seen as flat vectors, in double:
/// sin((1-f)w)/sin(w) a + sin(f w)/sin(w) b with w the angle between them; linear when |cos w| > 0.9995 or one of them is zero.
/// @throws Error(software) when their sizes differ
std::vector<double> slerp(std::span<const double> a, std::span<const double> b, double fraction);

/// (1-f) a + f b. @throws Error(software) when their sizes differ
std::vector<double> lerp(std::span<const double> a, std::span<const double> b, double fraction);

}  // namespace lcm
