#pragma once

#include "lib/core/adapter/adapter_registry.h"

namespace lcm {

/// All kinds of adapters that records may name. A new one is a subclass of BaseAdapter and a line in `init.cc`.
const AdapterRegistry& adapter_registry();

}  // namespace lcm
