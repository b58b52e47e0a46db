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

template <typename Config>
struct Found {
    Config config;
    Files files;
};

/// A folder's `config.json` and the weights beside it, or a weight file, whose shapes and whose UNet tell the configuration.
template <typename Config>
Found<Config> find_network(const std::string& path, const UNetConfig& unet, const ControlFileReader<Config>& read) {
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) {
        const WeightFile file(path);
        const auto [config, names] = read(file, unet);
        return {config, {path, {file}, {}, names}};
    }
    const Json json = read_json_file(path + "/config.json");
    const Config config = Config::from_json(json);
    config.expect_fits(unet, path);
    const std::vector<std::string> paths = find_weight_files(path);
    return {config, {path, {paths.begin(), paths.end()}, to_json(json)}};
}

/// @param type  of the weights. @param make  gives the network of them
template <typename Make>
auto build(const Files& files, const SteeredUNet& unet, at::ScalarType type, const Make& make) {
    std::unique_ptr<PackStore> packed;
    if (unet.pack_cache && unet.device.is_cpu())
        packed = open_pack_cache(files.weights, type, [&] {
            return fmt::format("steering\n{}\n{}\n{}", control_sha256(files.path), files.config, at::toString(type));
        });
    WeightSet weights = files.names ? WeightSet(files.weights, type, *files.names) : WeightSet(files.weights, type);
    return build_kept(std::move(weights), unet.device, packed, make);
}

}  // namespace

std::shared_ptr<const ControlNet> open_controlnet(const std::string& path, const SteeredUNet& unet) {
    const auto [config, files] = find_network<ControlNetConfig>(path, unet.config, read_controlnet_file);
    return build(files, unet, unet.type, [&, &settings = config](nn::WeightSource& weights) {
        return std::make_shared<const ControlNet>(settings, weights, unet.type);
    });
}

std::shared_ptr<const T2IAdapter> open_t2i_adapter(const std::string& path, const SteeredUNet& unet) {
    const auto [config, files] = find_network<T2IAdapterConfig>(path, unet.config, read_t2i_adapter_file);
    return build(files, unet, at::kFloat, [&settings = config](nn::WeightSource& weights) {
        return std::make_shared<const T2IAdapter>(settings, weights);
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
