#include "lib/base/version.h"

namespace lcm {

const char* version() { return LCM_VERSION; }

}  // namespace lcm
