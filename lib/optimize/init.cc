#include "lib/optimize/init.h"

#include "lib/core/adapter/lora_adapter.h"

namespace lcm {

// An explicit list: the linker drops objects of static libraries that only register themselves.
const AdapterRegistry& adapter_registry() {
    static const AdapterRegistry registry({lora_kind()});
    return registry;
}

}  // namespace lcm
