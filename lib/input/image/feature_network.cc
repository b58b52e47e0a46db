#include "lib/input/image/feature_network.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "lib/core/bundle/pack_cache.h"
#include "lib/core/bundle/part_hash.h"
#include "lib/core/bundle/weight_files.h"
#include "lib/core/model/clip_vision.h"
#include "lib/core/model/clip_vision_processor.h"
#include "lib/core/model/efficientnet.h"
#include "lib/core/tensor/picture.h"

namespace lcm {
namespace {

class EfficientNetFeatures : public FeatureNetwork {
public:
    explicit EfficientNetFeatures(EfficientNetLite network) : network_(std::move(network)) {}

    at::Tensor operator()(const Image& picture) const override {
        const int size = static_cast<int>(efficientnet_size);
        const Image square = center_crop(resize_shortest_edge(picture, size, Filter::bicubic), size, size);
        return network_.pooled(to_torch(normalize(to_unit(square), imagenet_statistics)));
    }

private:
    EfficientNetLite network_;
};

class CLIPFeatures : public FeatureNetwork {
public:
    CLIPFeatures(const CLIPImageProcessor& processor, CLIPVisionModel network) : processor_(processor), network_(std::move(network)) {}

    at::Tensor operator()(const Image& picture) const override { return network_.forward(to_torch(processor_(picture))); }

private:
    CLIPImageProcessor processor_;
    CLIPVisionModel network_;
};

}  // namespace

std::unique_ptr<FeatureNetwork> open_efficientnet(const std::string& file, at::Device device) {
    return std::make_unique<EfficientNetFeatures>(build_kept({{WeightFile(file)}, at::kFloat, efficientnet_key}, device, nullptr,
                                                             [](nn::WeightSource& weights) { return EfficientNetLite(weights); }));
}

std::unique_ptr<FeatureNetwork> open_image_encoder(const std::string& folder, at::Device device, bool pack_cache) {
    const Json json = read_json_file(folder + "/config.json");
    const CLIPVisionConfig config = CLIPVisionConfig::from_json(json);
    const std::string settings = folder + "/preprocessor_config.json";
    CLIPImageProcessor processor;
    processor.shortest_edge = processor.crop_width = processor.crop_height = static_cast<int>(config.image_size);
    std::error_code ignored;
    if (std::filesystem::exists(settings, ignored)) processor = CLIPImageProcessor::from_json(read_json_file(settings));
    const std::vector<std::string> paths = find_weight_files(folder);
    std::vector<WeightFile> files(paths.begin(), paths.end());
    std::unique_ptr<PackStore> packed;
    if (pack_cache && device.is_cpu())
        packed = open_pack_cache(files, at::kFloat, [&] { return fmt::format("image_encoder\n{}\n{}", hash_files(paths), to_json(json)); });
    auto network = build_kept({std::move(files), at::kFloat, clip_vision_key}, device, packed,
                              [&](nn::WeightSource& weights) { return CLIPVisionModel(config, weights); });
    return std::make_unique<CLIPFeatures>(processor, std::move(network));
}

}  // namespace lcm
