#pragma once

#include "lib/core/tensor/instruction_set.h"

namespace lcm {

/// The best one of this CPU, whatever the user says. Asks Linux for the registers of tiles where they are.
InstructionSet best_of_cpu();

}  // namespace lcm
