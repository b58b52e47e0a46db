#include "lib/core/adapter/model_parameters.h"

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/core/weights/name_recorder.h"

namespace lcm {
namespace {

UNetConfig published_unet(bool xl) {
    UNetConfig config;
    constexpr std::int64_t narrow = 320, sd_context = 768, xl_context = 2048;
    const std::size_t levels = xl ? 3 : 4;
    for (std::size_t i = 0; i < levels; ++i) {
        const bool attends = xl ? i > 0 : i + 1 < levels;
        config.down_block_types.emplace_back(attends ? "CrossAttnDownBlock2D" : "DownBlock2D");
        config.up_block_types.insert(config.up_block_types.begin(), attends ? "CrossAttnUpBlock2D" : "UpBlock2D");
        config.block_out_channels.push_back(narrow * (i < 2 ? static_cast<std::int64_t>(i) + 1 : 4));
        config.layers_per_block.push_back(2);
        config.num_attention_heads.push_back(8);
        config.transformer_layers_per_block.push_back(xl ? std::vector<std::int64_t>{1, 2, 10}[i] : 1);
        config.cross_attention_dim.push_back(xl ? xl_context : sd_context);
    }
    if (!xl) return config;
    config.text_time = true;
    config.addition_time_embed_dim = 256;
    config.projection_class_embeddings_input_dim = 2816;
    return config;
}

CLIPTextConfig published_text(std::int64_t width, std::int64_t layers, bool with_projection) {
    CLIPTextConfig config;
    config.hidden_size = width;
    config.intermediate_size = 4 * width;
    config.num_hidden_layers = layers;
    config.projection_dim = width;
    config.with_projection = with_projection;
    return config;
}

}  // namespace

std::string_view name(Network network) {
    switch (network) {
        case Network::unet:
            return "unet";
        case Network::text_encoder:
            return "text_encoder";
        case Network::text_encoder_2:
            return "text_encoder_2";
    }
    throw Error(ExitCode::software, "", "no such network");
}

ParameterShapes unet_parameters(const UNetConfig& config) {
    NameRecorder recorder;
    const UNet network(config, recorder);
    return recorder.shapes();
}

ParameterShapes text_parameters(const CLIPTextConfig& config) {
    NameRecorder recorder;
    const CLIPTextModel network(config, recorder);
    return recorder.shapes();
}

ModelParameters published_parameters(std::string_view arch) {
    const bool xl = arch == "sdxl";
    ModelParameters parameters{{Network::unet, unet_parameters(published_unet(xl))},
                               {Network::text_encoder, text_parameters(published_text(768, 12, false))}};
    if (xl) parameters.emplace(Network::text_encoder_2, text_parameters(published_text(1280, 32, true)));
    return parameters;
}

std::string module_of(const std::string& parameter) {
    const std::size_t dot = parameter.rfind('.');
    return dot == std::string::npos ? parameter : parameter.substr(0, dot);
}

std::string block_of(std::string_view module) {
    constexpr std::string_view encoder = "encoder.";
    if (module.starts_with(encoder)) module.remove_prefix(encoder.size());
    const std::size_t first = module.find('.');
    if (first == module.npos) return std::string(module);
    const std::size_t second = std::min(module.find('.', first + 1), module.size());
    const bool numbered = parse_u64(module.substr(first + 1, second - first - 1)).has_value();
    return std::string(module.substr(0, numbered ? second : first));
}

}  // namespace lcm
