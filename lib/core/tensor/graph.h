#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <string>

namespace lcm {

/// Work of a GPU that was recorded once and is started again as a whole (CUDA graphs): hundreds of kernels cost the CPU one call.
///
/// This build has them where libtorch has CUDA and CUDA's headers were there when it was built; networks compute on a GPU without them too.
class Graph {
public:
    virtual ~Graph() = default;
    /// Starts the work. It reads and writes the memory that it was recorded with.
    virtual void replay() = 0;
};

/// Whether this build records work of a GPU.
bool has_graphs();

/// Records what `work` starts on `device`; nothing runs. It must have run before, so that libraries are loaded and ways chosen, must not
/// wait for the GPU, and may read no memory of the CPU. What it allocates stays alive with the graph.
/// @throws Error(software) without `has_graphs()`
std::unique_ptr<Graph> record_graph(at::Device device, const std::function<void()>& work);

/// The name of a GPU as its maker gives it; its kind and number where this build cannot ask.
std::string gpu_name(at::Device device);

}  // namespace lcm
