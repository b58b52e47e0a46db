#pragma once

#include "lib/stream/record.h"

namespace lcm {

/// Checks the bytes of every tensor: BOOL bytes are 0 or 1; tensors known by name (section 6) have their dtype and, where
/// they are floats, hold no NaN and no infinity. Unknown tensors pass.
/// @throws Error(data) naming record, tensor and index
/// @param nan_pass  let NaN and infinity through
void check_values(const Record& record, bool nan_pass = false);

}  // namespace lcm
