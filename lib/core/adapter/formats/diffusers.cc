// LoRA as diffusers wrote it before peft: attention processors (`processor.to_q_lora.up.weight`) and linear layers beside others.

#include "lib/core/adapter/formats/formats.h"
#include "lib/core/adapter/formats/low_rank.h"

namespace lcm {

DeltaFormat diffusers_format() {
    return {.name = "LoRA, old diffusers names",
            .leaves = {{".up.weight", part::up},
                       {".down.weight", part::down},
                       {".lora.up.weight", part::up},
                       {".lora.down.weight", part::down},
                       {".lora_linear_layer.up.weight", part::up},
                       {".lora_linear_layer.down.weight", part::down},
                       {".alpha", part::alpha}},
            .make = make_low_rank};
}

}  // namespace lcm
