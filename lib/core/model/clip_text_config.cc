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
    config.read(reader);
    config.vocab_size = reader.positive("vocab_size", config.vocab_size);
    config.max_position_embeddings = reader.positive("max_position_embeddings", config.max_position_embeddings);
    config.eos_token_id = reader.positive("eos_token_id", config.eos_token_id);
    reader.finish();
    return config;
}

}  // namespace lcm
