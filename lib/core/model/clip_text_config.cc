#include <fmt/format.h>

#include "lib/core/model/clip_layer.h"
#include "lib/core/model/clip_text.h"
#include "lib/core/model/config_reader.h"

namespace lcm {
namespace {

bool has_projection(ConfigReader& reader) {
    const Json* architectures = reader.find("architectures");
    if (!architectures) return false;
    for (const Json& name : architectures->as_array()) {
        if (name.as_string() == "CLIPTextModelWithProjection") return true;
        if (name.as_string() != "CLIPTextModel") {
            reader.refuse("architectures",
                          fmt::format("{} is not implemented, only CLIPTextModel and CLIPTextModelWithProjection", to_json(name)));
        }
    }
    return false;
}

}  // namespace

CLIPTextConfig CLIPTextConfig::from_json(const Json& json) {
    ConfigReader reader(json);
    // Training, tokens that the tokenizer puts in, and who wrote the file.
    reader.ignore({"attention_dropout", "bos_token_id", "dropout", "dtype", "initializer_factor", "initializer_range", "model_type",
                   "pad_token_id", "torch_dtype", "transformers_version"});
    CLIPTextConfig config;
    config.with_projection = has_projection(reader);
    config.hidden_act = read_clip_activation(reader);
    config.vocab_size = reader.positive("vocab_size", config.vocab_size);
    config.hidden_size = reader.positive("hidden_size", config.hidden_size);
    config.intermediate_size = reader.positive("intermediate_size", config.intermediate_size);
    config.num_hidden_layers = reader.positive("num_hidden_layers", config.num_hidden_layers);
    config.num_attention_heads = reader.positive("num_attention_heads", config.num_attention_heads);
    config.max_position_embeddings = reader.positive("max_position_embeddings", config.max_position_embeddings);
    config.eos_token_id = reader.positive("eos_token_id", config.eos_token_id);
    config.projection_dim = reader.positive("projection_dim", config.projection_dim);
    config.layer_norm_eps = reader.number("layer_norm_eps", config.layer_norm_eps);
    if (config.hidden_size % config.num_attention_heads != 0) {
        reader.refuse("num_attention_heads",
                      fmt::format("{} heads do not divide the width {}", config.num_attention_heads, config.hidden_size));
    }
    reader.finish();
    return config;
}

}  // namespace lcm
