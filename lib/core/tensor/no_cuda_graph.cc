// In the place of `cuda_graph.cc` where libtorch has no CUDA, or the headers of CUDA are not there.

#include "lib/base/error.h"
#include "lib/core/tensor/graph.h"

namespace lcm {

bool has_graphs() { return false; }

std::unique_ptr<Graph> record_graph(at::Device, const std::function<void()>&) {
    throw Error(ExitCode::software, "", "this build records no graphs");
}

std::string gpu_name(at::Device device) { return device.str(); }

}  // namespace lcm
