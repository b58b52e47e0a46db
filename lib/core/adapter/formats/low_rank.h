#pragma once

#include <memory>

#include "lib/core/adapter/delta_format.h"

namespace lcm {

/// LoRA and LoCon: up [out,r,1,1] @ down [r,in,k,k], with the core `mid` [r,r,k,k] of a Tucker decomposition between them where there
/// is one. The kernel may be absent on either side. @throws Error(data) naming file and tensor
std::unique_ptr<WeightDelta> make_low_rank(const ModuleParts& parts);

}  // namespace lcm
