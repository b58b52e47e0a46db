#include "lib/sampling/control_networks.h"

#include <c10/core/ScalarType.h>
#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "lib/core/bundle/pack_cache.h"
#include "lib/core/bundle/weight_files.h"
#include "lib/sampling/control_config.h"
#include "lib/sampling/control_files.h"

namespace lcm {
namespace {

namespace fs = std::filesystem;

/// What a network is made of.
struct Files {
    std::string path;
    std::vector<WeightFile> weights;
    std::string config;                             ///< its text; empty where it follows from the weights
    std::optional<NameTable> names = std::nullopt;  ///< where they are not ours
};

/// @param make  gives the network of its weights. @param type  of these
template <typename Make>
auto build(const Files& files, const SteeredUNet& unet, at::ScalarType type, const Make& make) {
    std::unique_ptr<PackStore> packed;
    if (unet.pack_cache && unet.device.is_cpu()) {
        const std::string key = fmt::format("steering\n{}\n{}\n{}", control_sha256(files.path), files.config, at::toString(type));
        packed = open_pack_cache(key, packed_bytes(files.weights, type));
    }
    WeightSet weights = files.names ? WeightSet(files.weights, type, *files.names) : WeightSet(files.weights, type);
    return build_kept(std::move(weights), unet.device, packed, make);
}

/// A network from `config.json` and the weights beside it, or from a weight file, whose shapes and whose UNet tell its configuration.
template <typename Config, typename Make>
auto open_network(const std::string& path, const SteeredUNet& unet, const ControlFileReader<Config>& read, at::ScalarType type,
                  const Make& make) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) {
        const Json json = read_json_file(path + "/config.json");
        const Config config = Config::from_json(json);
        config.expect_fits(unet.config, path);
        Files files{path, {}, to_json(json)};
        for (const std::string& file : find_weight_files(path)) files.weights.emplace_back(file);
        return build(files, unet, type, [&](nn::WeightSource& there) { return make(config, there); });
    }
    const WeightFile file(path);
    const auto [config, names] = read(file, unet.config);
    return build({path, {file}, {}, names}, unet, type, [&, &settings = config](nn::WeightSource& there) { return make(settings, there); });
}

}  // namespace

std::shared_ptr<const ControlNet> open_controlnet(const std::string& path, const SteeredUNet& unet) {
    return open_network<ControlNetConfig>(path, unet, read_controlnet_file, unet.type,
                                          [&](const ControlNetConfig& config, nn::WeightSource& weights) {
                                              return std::make_shared<const ControlNet>(config, weights, unet.type);
                                          });
}

std::shared_ptr<const T2IAdapter> open_t2i_adapter(const std::string& path, const SteeredUNet& unet) {
    return open_network<T2IAdapterConfig>(path, unet, read_t2i_adapter_file, at::kFloat,
                                          [](const T2IAdapterConfig& config, nn::WeightSource& weights) {
                                              return std::make_shared<const T2IAdapter>(config, weights);
                                          });
}

std::shared_ptr<const IPAdapter> open_ip_adapter(const std::string& path, const SteeredUNet& unet) {
    const WeightFile file(path);
    const IPAdapterShape shape = IPAdapterShape::of(file);
    shape.expect_fits(unet.config, path);
    return build({path, {file}, {}}, unet, at::kFloat, [&](nn::WeightSource& weights) {
        return std::make_shared<const IPAdapter>(unet.config, shape, weights);
    });
}

}  // namespace lcm
