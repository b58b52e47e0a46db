#include "lib/input/image/feature_network.h"

#include <filesystem>

#include "lib/core/bundle/weight_files.h"
#include "lib/core/model/clip_vision.h"
#include "lib/core/model/clip_vision_processor.h"
#include "lib/core/model/efficientnet.h"
#include "lib/core/tensor/picture.h"
#include "lib/core/weights/device_weights.h"
#include "lib/core/weights/weight_set.h"

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

std::vector<WeightFile> weight_files(const std::string& folder) {
    std::vector<WeightFile> files;
    for (const std::string& path : find_weight_files(folder)) files.emplace_back(path);
    return files;
}

}  // namespace

std::unique_ptr<FeatureNetwork> open_efficientnet(const std::string& file, at::Device device) {
    WeightSet weights({WeightFile(file)}, at::kFloat, efficientnet_key);
    auto network = build_on(device, weights, [](nn::WeightSource& there) { return EfficientNetLite(there); });
    weights.expect_all_used();
    return std::make_unique<EfficientNetFeatures>(std::move(network));
}

std::unique_ptr<FeatureNetwork> open_image_encoder(const std::string& folder, at::Device device) {
    const CLIPVisionConfig config = CLIPVisionConfig::from_json(read_json_file(folder + "/config.json"));
    const std::string settings = folder + "/preprocessor_config.json";
    CLIPImageProcessor processor;
    processor.shortest_edge = processor.crop_width = processor.crop_height = static_cast<int>(config.image_size);
    std::error_code ignored;
    if (std::filesystem::exists(settings, ignored)) processor = CLIPImageProcessor::from_json(read_json_file(settings));
    WeightSet weights(weight_files(folder), at::kFloat, clip_vision_key);
    auto network = build_on(device, weights, [&](nn::WeightSource& there) { return CLIPVisionModel(config, there); });
    weights.expect_all_used();
    return std::make_unique<CLIPFeatures>(processor, std::move(network));
}

}  // namespace lcm
