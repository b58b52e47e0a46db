#include "lib/sampling/control_networks.h"

#include "lib/core/bundle/weight_files.h"
#include "lib/core/weights/weight_set.h"

namespace lcm {
namespace {

/// A network from `config.json` and the weights beside it.
template <typename Network, typename Config>
std::shared_ptr<const Network> open_folder(const std::string& folder, const UNetConfig& unet) {
    const Config config = Config::from_json(read_json_file(folder + "/config.json"));
    config.expect_fits(unet, folder);
    std::vector<WeightFile> files;
    for (const std::string& path : find_weight_files(folder)) files.emplace_back(path);
    WeightSet weights(std::move(files), at::kFloat);
    auto network = std::make_shared<const Network>(config, weights);
    weights.expect_all_used();
    return network;
}

}  // namespace

std::shared_ptr<const ControlNet> open_controlnet(const std::string& folder, const UNetConfig& unet) {
    return open_folder<ControlNet, ControlNetConfig>(folder, unet);
}

std::shared_ptr<const T2IAdapter> open_t2i_adapter(const std::string& folder, const UNetConfig& unet) {
    return open_folder<T2IAdapter, T2IAdapterConfig>(folder, unet);
}

std::shared_ptr<const IPAdapter> open_ip_adapter(const std::string& path, const UNetConfig& unet) {
    const WeightFile file(path);
    const IPAdapterShape shape = IPAdapterShape::of(file);
    shape.expect_fits(unet, path);
    WeightSet weights({file}, at::kFloat);
    auto network = std::make_shared<const IPAdapter>(unet, shape, weights);
    weights.expect_all_used();
    return network;
}

}  // namespace lcm
