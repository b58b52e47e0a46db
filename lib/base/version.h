#pragma once

namespace lcm {

/// The project's version, "1.0.0"; set by the build.
const char* version();

}  // namespace lcm
