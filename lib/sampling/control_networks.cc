#include "lib/sampling/control_networks.h"

#include <filesystem>
#include <optional>

#include "lib/core/bundle/weight_files.h"
#include "lib/core/weights/device_weights.h"
#include "lib/core/weights/weight_set.h"
#include "lib/sampling/control_config.h"

namespace lcm {
namespace {

namespace fs = std::filesystem;

template <typename Network, typename Config>
std::shared_ptr<const Network> build(const Config& config, WeightSet weights, at::Device device) {
    auto network = build_on(device, weights, [&](nn::WeightSource& there) { return std::make_shared<const Network>(config, there); });
    weights.expect_all_used();
    return network;
}

/// A network from `config.json` and the weights beside it, or from a weight file, whose shapes and whose UNet tell its configuration.
template <typename Network, typename Config>
std::shared_ptr<const Network> open_network(const std::string& path, const SteeredUNet& unet, const ControlFileReader<Config>& read) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) {
        const Config config = Config::from_json(read_json_file(path + "/config.json"));
        config.expect_fits(unet.config, path);
        std::vector<WeightFile> files;
        for (const std::string& file : find_weight_files(path)) files.emplace_back(file);
        return build<Network>(config, WeightSet(std::move(files), at::kFloat), unet.device);
    }
    const WeightFile file(path);
    const auto [config, names] = read(file, unet.config);
    return build<Network>(config, names ? WeightSet({file}, at::kFloat, *names) : WeightSet({file}, at::kFloat), unet.device);
}

}  // namespace

std::shared_ptr<const ControlNet> open_controlnet(const std::string& path, const SteeredUNet& unet) {
    return open_network<ControlNet, ControlNetConfig>(path, unet, read_controlnet_file);
}

std::shared_ptr<const T2IAdapter> open_t2i_adapter(const std::string& path, const SteeredUNet& unet) {
    return open_network<T2IAdapter, T2IAdapterConfig>(path, unet, read_t2i_adapter_file);
}

std::shared_ptr<const IPAdapter> open_ip_adapter(const std::string& path, const SteeredUNet& unet) {
    const WeightFile file(path);
    const IPAdapterShape shape = IPAdapterShape::of(file);
    shape.expect_fits(unet.config, path);
    WeightSet weights({file}, at::kFloat);
    auto network = build_on(unet.device, weights, [&](nn::WeightSource& there) {
        return std::make_shared<const IPAdapter>(unet.config, shape, there);
    });
    weights.expect_all_used();
    return network;
}

}  // namespace lcm
