#include "lib/core/model/clip_vision.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <vector>

#include "lib/core/model/clip_layer.h"
#include "lib/core/model/config_reader.h"
#include "lib/core/nn/embedding.h"
#include "lib/core/tensor/convert.h"

namespace lcm {

CLIPVisionConfig CLIPVisionConfig::from_json(const Json& json) {
    ConfigReader reader(json);
    // Training, and who wrote the file.
    reader.ignore(
        {"attention_dropout", "dropout", "dtype", "initializer_factor", "initializer_range", "torch_dtype", "transformers_version"});
    reader.only("architectures", "[\"CLIPVisionModelWithProjection\"]");
    reader.only("model_type", "\"clip_vision_model\"");
    CLIPVisionConfig config;
    config.read(reader);
    config.image_size = reader.positive("image_size", config.image_size);
    config.patch_size = reader.positive("patch_size", config.patch_size);
    config.num_channels = reader.positive("num_channels", config.num_channels);
    if (config.patch_size > config.image_size)
        reader.refuse("patch_size", fmt::format("{} is more than the picture's {}", config.patch_size, config.image_size));
    reader.finish();
    return config;
}

struct CLIPVisionModel::Network {
    at::Device device;
    CLIPVisionConfig config;
    std::int64_t patches;
    at::Tensor class_embedding;
    nn::Conv2d patch_embedding;
    nn::Embedding position_embedding;
    nn::LayerNorm pre_layrnorm, post_layernorm;  // the file's own spelling
    std::vector<CLIPLayer> layers;
    nn::Linear visual_projection;

    Network(const CLIPVisionConfig& settings, const nn::Scope& weights)
        : device(weights.device()),
          config(settings),
          patches((config.image_size / config.patch_size) * (config.image_size / config.patch_size)),
          class_embedding(weights.take("embeddings.class_embedding", {config.hidden_size})),
          patch_embedding(weights / "embeddings.patch_embedding", {.in = config.num_channels,
                                                                   .out = config.hidden_size,
                                                                   .kernel = config.patch_size,
                                                                   .stride = config.patch_size,
                                                                   .padding = 0,
                                                                   .bias = false}),
          position_embedding(weights / "embeddings.position_embedding", patches + 1, config.hidden_size),
          pre_layrnorm(weights / "pre_layrnorm", config.hidden_size, config.layer_norm_eps),
          post_layernorm(weights / "post_layernorm", config.hidden_size, config.layer_norm_eps),
          visual_projection(weights / "visual_projection", config.hidden_size, config.projection_dim, /*bias=*/false) {
        for (std::int64_t i = 0; i < config.num_hidden_layers; ++i)
            layers.emplace_back(weights / "encoder.layers" / i, config, /*causal=*/false);
    }

    at::Tensor forward(const at::Tensor& pixels) const {
        const at::Tensor tokens = nn::to_tokens(patch_embedding(nn::channels_last(pixels)));
        const at::Tensor first = class_embedding.expand({pixels.size(0), 1, -1});
        at::Tensor x = pre_layrnorm(at::cat({first, tokens}, 1) + position_embedding.first(patches + 1));
        for (const CLIPLayer& layer : layers) x = layer(x);
        return visual_projection(post_layernorm(x.select(1, 0)));
    }
};

CLIPVisionModel::CLIPVisionModel(const CLIPVisionConfig& config, nn::WeightSource& weights)
    : network_(std::make_unique<Network>(config, nn::Scope(weights))) {}
CLIPVisionModel::~CLIPVisionModel() = default;
CLIPVisionModel::CLIPVisionModel(CLIPVisionModel&&) noexcept = default;

at::Tensor CLIPVisionModel::forward(const at::Tensor& pixels) const {
    const CLIPVisionConfig& config = network_->config;
    expect_shape(pixels, {-1, config.num_channels, config.image_size, config.image_size}, "the image encoder's pixels");
    return network_->forward(pixels.to(network_->device)).cpu();
}

const CLIPVisionConfig& CLIPVisionModel::config() const { return network_->config; }

std::string clip_vision_key(const std::string& name) {
    constexpr std::string_view prefix = "vision_model.";
    const std::string ours = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
    return ours == "embeddings.position_ids" ? std::string() : ours;
}

}  // namespace lcm
