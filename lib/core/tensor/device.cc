#include "lib/core/tensor/device.h"

#include <ATen/Context.h>
#include <fmt/format.h>

#include <optional>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/core/tensor/graph.h"
#include "lib/stream/keys.h"

namespace lcm {

namespace {

constexpr std::string_view first_gpu = "cuda", numbered = "cuda:";
constexpr std::uint64_t most_gpus = 128;  // what libtorch's number of a device holds

/// The number of the GPU that `text` names; nothing where it names none.
std::optional<at::DeviceIndex> gpu_number(std::string_view text) {
    if (text == first_gpu) return at::DeviceIndex{0};
    if (!text.starts_with(numbered)) return std::nullopt;
    const auto number = parse_u64(text.substr(numbered.size()));
    if (!number || *number >= most_gpus) return std::nullopt;
    return static_cast<at::DeviceIndex>(*number);
}

at::Device gpu(at::DeviceIndex number) {
    at::Context& context = at::globalContext();
    context.setAllowTF32CuBLAS(false);
    context.setAllowTF32CuDNN(false);
    context.setDeterministicCuDNN(true);
    return {at::kCUDA, number};
}

}  // namespace

bool is_device_name(std::string_view text) { return text == "auto" || text == "cpu" || gpu_number(text); }

at::Device device_named(std::string_view text) {
    const auto number = text == "auto" ? at::DeviceIndex{0} : gpu_number(text);
    if (!number) return at::kCPU;
    const auto count = static_cast<at::DeviceIndex>(at::hasCUDA() ? at::getNumGPUs() : 0);
    if (*number < count) return gpu(*number);
    if (text == "auto") return at::kCPU;
    const bool built = at::Context::hasCUDART();
    throw Error(ExitCode::unavailable, std::string(text),
                built ? fmt::format("there is no such GPU: libtorch finds {}", count) : "the libtorch of this build has no CUDA",
                built ? "compute on the CPU, or see that the driver shows the GPU (nvidia-smi)"
                      : "compute on the CPU, or build with a libtorch that has CUDA");
}

std::string model_name(at::Device device) { return device.is_cpu() ? std::string("cpu") : gpu_name(device); }

void sign_device(Record& record, at::Device device) {
    if (!device.is_cpu()) record.set(key::device, c10::DeviceTypeName(device.type(), /*lower_case=*/true));
}

}  // namespace lcm
