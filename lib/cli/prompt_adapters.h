#pragma once

#include <string>
#include <vector>

#include "lib/cli/adapter_options.h"

namespace lcm::cli {

/// Takes `<lora:NAME>` and `<lora:NAME:WEIGHT>` out of a prompt, with the white space that they leave double.
/// @param place  of the prompt, for errors. @throws Error(data) for a mark without a name, with no number, or with more than one
std::vector<AdapterRequest> take_adapters(std::string& prompt, const std::string& place);

}  // namespace lcm::cli
