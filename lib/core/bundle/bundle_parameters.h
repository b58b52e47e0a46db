#pragma once

#include "lib/core/adapter/model_parameters.h"
#include "lib/core/bundle/bundle.h"

namespace lcm {

/// The networks of a model that adapters change, by its configuration; no weights are read. @throws Error(data)
ModelParameters parameters_of(const Bundle& bundle);

}  // namespace lcm
