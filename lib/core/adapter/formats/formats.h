#pragma once

#include "lib/core/adapter/delta_format.h"

namespace lcm {

/// The formats of adapters, one file each.
DeltaFormat kohya_format();
DeltaFormat peft_format();
DeltaFormat diffusers_format();
DeltaFormat loha_format();
DeltaFormat lokr_format();
DeltaFormat full_format();

}  // namespace lcm
