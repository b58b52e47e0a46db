#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <map>

#include "lib/core/tensor/graph.h"

// As `ATen/cuda/CUDAContextLight.h` declares it, which asks for the headers of cuBLAS, cuSPARSE and cuSOLVER.
namespace at::cuda {
cudaDeviceProp* getDeviceProperties(c10::DeviceIndex device);
}

namespace lcm {

namespace {

/// The default stream cannot be recorded. One for all records, since products keep working memory for every stream that they meet.
c10::cuda::CUDAStream side_stream(at::Device device) {
    static std::map<at::DeviceIndex, c10::cuda::CUDAStream> streams;
    return streams.try_emplace(device.index(), c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index())).first->second;
}

class CudaGraph : public Graph {
public:
    CudaGraph(at::Device device, const std::function<void()>& work) : device_(device) {
        const c10::cuda::CUDAStreamGuard side(side_stream(device));
        graph_.capture_begin(/*pool=*/{0, 0}, cudaStreamCaptureModeThreadLocal);
        try {
            work();
        } catch (...) {
            graph_.capture_end();
            throw;
        }
        graph_.capture_end();
    }

    void replay() override {
        const c10::cuda::CUDAGuard here(device_);
        graph_.replay();
    }

private:
    at::Device device_;
    at::cuda::CUDAGraph graph_;
};

}  // namespace

bool has_graphs() { return true; }

std::unique_ptr<Graph> record_graph(at::Device device, const std::function<void()>& work) {
    return std::make_unique<CudaGraph>(device, work);
}

std::string gpu_name(at::Device device) { return at::cuda::getDeviceProperties(device.index())->name; }

}  // namespace lcm
