// LoRA, LoCon and DoRA as kohya's scripts and LyCORIS write them; LCM-LoRA is one of them.

#include "lib/core/adapter/formats/formats.h"
#include "lib/core/adapter/formats/low_rank.h"

namespace lcm {

DeltaFormat kohya_format() {
    return {.name = "LoRA, kohya names",
            .leaves = {{".lora_up.weight", part::up},
                       {".lora_down.weight", part::down},
                       {".lora_mid.weight", part::mid},
                       {".alpha", part::alpha},
                       {".dora_scale", part::magnitude}},
            .make = make_low_rank};
}

}  // namespace lcm
