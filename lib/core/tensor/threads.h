#pragma once

namespace lcm {

/// Cores this process may use: affinity mask and cgroup quota, at least 1.
int available_cores();

/// Sets libtorch's intra-op threads (0 = available_cores()). The one place that touches thread counts.
void set_threads(int count);

}  // namespace lcm
