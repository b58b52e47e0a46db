// LoRA and DoRA as the peft library and diffusers write them today. Alpha stands in a configuration (`peft_config.h`).

#include "lib/core/adapter/formats/formats.h"
#include "lib/core/adapter/formats/low_rank.h"

namespace lcm {

DeltaFormat peft_format() {
    return {.name = "LoRA, PEFT names",
            .leaves = {{".lora_B.weight", part::up},
                       {".lora_A.weight", part::down},
                       {".lora_B.default.weight", part::up},
                       {".lora_A.default.weight", part::down},
                       {".lora_B.default_0.weight", part::up},
                       {".lora_A.default_0.weight", part::down},
                       {".alpha", part::alpha},
                       {".lora_magnitude_vector", part::output_magnitude},
                       {".lora_magnitude_vector.weight", part::output_magnitude},
                       {".lora_magnitude_vector.default.weight", part::output_magnitude}},
            .make = make_low_rank};
}

}  // namespace lcm
