#include "lib/optimize/inspect.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <string_view>
#include <tuple>

#include "lib/base/number.h"

namespace lcm {

namespace {

namespace fs = std::filesystem;

/// What a configuration says that decides what the model can do; those that are absent are left out.
constexpr std::array part_keys{// UNet and VAE
                               "sample_size", "in_channels", "block_out_channels", "encoder_block_out_channels", "layers_per_block",
                               "cross_attention_dim", "attention_head_dim", "num_attention_heads", "transformer_layers_per_block",
                               "use_linear_projection", "time_cond_proj_dim", "addition_embed_type", "latent_channels", "scaling_factor",
                               "force_upcast",
                               // text encoders
                               "hidden_size", "num_hidden_layers", "vocab_size", "max_position_embeddings", "hidden_act", "eos_token_id"};
constexpr std::array scheduler_keys{"_class_name",         "prediction_type",          "beta_schedule",         "beta_start", "beta_end",
                                    "num_train_timesteps", "original_inference_steps", "rescale_betas_zero_snr"};

template <std::size_t Count>
Json::Object pick(const Json& config, const std::array<const char*, Count>& keys) {
    Json::Object facts;
    for (const char* key : keys)
        if (const Json* value = config.find(key)) facts.emplace(key, *value);
    return facts;
}

/// diffusers names the class, transformers lists it.
std::string class_name(const Json& config) {
    if (config.find("_class_name")) return config.at("_class_name").as_string();
    const Json* architectures = config.find("architectures");
    if (!architectures || !architectures->is_array() || architectures->as_array().empty()) return "";
    return architectures->as_array().front().as_string();
}

/// The block that a weight belongs to: its first name, with the number that follows ("down_blocks.0").
std::string block_of(std::string_view part, std::string name) {
    if (name.empty()) return "unused";
    constexpr std::string_view encoder = "encoder.";  // a text encoder's layers need no more name than their number
    if (part.starts_with("text_encoder") && name.starts_with(encoder)) name.erase(0, encoder.size());
    const std::size_t first = name.find('.');
    if (first == std::string::npos) return name;
    const std::size_t second = name.find('.', first + 1);
    const bool numbered = second != std::string::npos && parse_u64(std::string_view(name).substr(first + 1, second - first - 1));
    return name.substr(0, numbered ? second : first);
}

/// Sorts blocks as data flows: by kind, then by number, unknown kinds last by name.
std::tuple<std::size_t, std::uint64_t, std::string> flow_order(const std::string& block) {
    static constexpr std::array kinds{
        "embeddings", "layers",    "final_layer_norm", "text_projection", "conv_in", "time_embedding", "add_embedding",   "down_blocks",
        "mid_block",  "up_blocks", "conv_norm_out",    "conv_out",        "encoder", "quant_conv",     "post_quant_conv", "decoder"};
    const std::size_t dot = block.find('.');
    const auto number = dot == std::string::npos ? std::nullopt : parse_u64(std::string_view(block).substr(dot + 1));
    const auto kind = std::ranges::find(kinds, std::string_view(block).substr(0, dot));
    return {static_cast<std::size_t>(kind - kinds.begin()), number.value_or(0), block};
}

void add(WeightCount& sum, const WeightCount& part) {
    sum.parameters += part.parameters;
    sum.bytes += part.bytes;
    for (const auto& [dtype, parameters] : part.dtypes) sum.dtypes[dtype] += parameters;
}

WeightCount count_of(const TensorEntry& entry) {
    const std::uint64_t bytes = entry.end - entry.begin;
    const std::uint64_t parameters = bytes * 8 / bits(entry.dtype);
    return {parameters, bytes, {{std::string(name(entry.dtype)), parameters}}};
}

PartReport inspect_part(const Bundle& bundle, Part part) {
    PartReport report;
    report.name = folder(part);
    report.class_name = class_name(bundle.config(part));
    report.facts = pick(bundle.config(part), part_keys);

    std::map<std::tuple<std::size_t, std::uint64_t, std::string>, WeightCount> blocks;
    for (const PartTensor& tensor : bundle.tensors(part)) {
        const std::string file = fs::path(tensor.file).filename();
        if (report.files.empty() || report.files.back() != file) report.files.push_back(file);
        const WeightCount count = count_of(tensor.entry);
        add(blocks[flow_order(block_of(report.name, tensor.name))], count);
        add(report.count, count);
    }
    for (auto& [order, count] : blocks) report.blocks.push_back({std::get<std::string>(order), std::move(count)});
    return report;
}

Json::Object defaults_of(const Bundle& bundle) {
    const Defaults defaults = bundle.defaults();
    return {{"width", Json(defaults.width, "")},
            {"height", Json(defaults.height, "")},
            {"steps", Json(defaults.steps, "")},
            {"guidance", Json(defaults.guidance, "")}};
}

}  // namespace

ModelReport inspect(const Bundle& bundle) {
    ModelReport report;
    report.model = bundle.name();
    report.scheduler = pick(bundle.scheduler_config(), scheduler_keys);
    if (bundle.has(Part::unet)) {
        report.family = bundle.arch();
        report.full_lcm = bundle.config(Part::unet).find("time_cond_proj_dim") != nullptr;
        report.defaults = defaults_of(bundle);
    }
    for (const Part part : all_parts) {
        if (!bundle.has(part)) continue;
        report.parts.push_back(inspect_part(bundle, part));
        add(report.count, report.parts.back().count);
    }
    return report;
}

}  // namespace lcm
