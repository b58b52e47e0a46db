#pragma once

namespace lcm {

/// Where the beta distribution with both parameters `shape` has the share `probability` below it, in [0,1]: the inverse of the regularised
/// incomplete beta function, by bisection over its continued fraction (DLMF 8.17.22).
double beta_quantile(double probability, double shape);

}  // namespace lcm
