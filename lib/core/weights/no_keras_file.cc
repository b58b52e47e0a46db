#include "lib/base/error.h"
#include "lib/core/weights/keras_file.h"

namespace lcm {

std::vector<KerasLayer> read_keras_file(const std::string& path) {
    throw Error(ExitCode::refused, path, "is an HDF5 file, and this build reads none", "build with -Dkeras=enabled, or use safetensors");
}

}  // namespace lcm
