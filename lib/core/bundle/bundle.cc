#include "lib/core/bundle/bundle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "lib/base/engine_facts.h"
#include "lib/base/error.h"
#include "lib/base/resource_limits.h"
#include "lib/core/bundle/checkpoint.h"
#include "lib/core/bundle/keras_folder.h"
#include "lib/core/bundle/pack_cache.h"
#include "lib/core/bundle/part_hash.h"
#include "lib/core/bundle/shape_config.h"
#include "lib/core/bundle/weight_files.h"
#include "lib/core/tensor/device.h"
#include "lib/core/tensor/graph.h"
#include "lib/core/tensor/instruction_set.h"
#include "lib/core/model/quantization.h"
#include "lib/core/nn/packed.h"
#include "lib/core/nn/quantized.h"
#include "lib/core/weights/device_weights.h"
#include "lib/core/weights/key_map.h"
#include "lib/core/weights/weight_set.h"

namespace lcm {

namespace fs = std::filesystem;

namespace {

/// The object in a JSON file, or null when there is no such file.
Json read_object(const std::string& path) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return Json(nullptr, path);
    Json json = read_json_file(path);
    json.as_object();  // refuses anything else
    return json;
}

/// `sample_size` of a UNet, height and width: one number or a pair.
std::pair<std::int64_t, std::int64_t> latent_size(const Json& unet) {
    constexpr std::int64_t usual = 64;
    const Json* size = unet.find("sample_size");
    if (!size) return {usual, usual};
    if (!size->is_array()) return {size->as_integer(), size->as_integer()};
    const auto& pair = size->as_array();
    if (pair.size() != 2) throw Error(ExitCode::data, size->place(), "expected one number or two");
    return {pair[0].as_integer(), pair[1].as_integer()};
}

void expect_between(const std::string& where, const char* what, double value, double low, double high) {
    if (value >= low && value <= high) return;
    throw Error(ExitCode::data, where, fmt::format("the default {} is {}, expected {} to {}", what, value, low, high));
}

void expect_prediction_type(const std::string& type) {
    if (type.empty() || type == "epsilon" || type == "v_prediction" || type == "sample") return;
    throw Error(ExitCode::usage, "--prediction-type", fmt::format("\"{}\" is not known", type), "give epsilon, v_prediction or sample");
}

}  // namespace

Bundle Bundle::open(const std::string& path, const std::string& name, bool lenient) {
    ModelFiles files;
    files.path = path;
    files.name = name;
    files.lenient = lenient;
    return open(files);
}

Bundle Bundle::open(const ModelFiles& files) {
    expect_prediction_type(files.prediction_type);
    std::error_code ignored;
    if (!fs::exists(files.path, ignored)) throw Error(ExitCode::no_input, files.path, "there is no such model");
    if (!files.config.empty() && !fs::is_directory(files.config, ignored))
        throw Error(ExitCode::no_input, files.config, "there is no such folder of configuration files");
    Bundle bundle;
    bundle.files_ = files;
    if (files.name.empty()) bundle.files_.name = files.path;
    bundle.is_file_ = !fs::is_directory(files.path, ignored);
    if (bundle.is_file_)
        bundle.open_checkpoint(files.config.empty() ? config_folder_beside(files.path) : files.config);
    else if (!bundle.open_keras_folder(files.config))
        bundle.open_folder(files.config.empty() ? files.path : files.config);
    for (const auto& [part, path] : files.parts) bundle.open_part(part, path);
    bundle.set_prediction_type();
    bundle.set_precision();
    return bundle;
}

void Bundle::read_common(const std::string& folder) {
    config_folder_ = folder;
    index_ = read_object(folder + "/model_index.json");
    scheduler_ = read_object(folder + "/scheduler/scheduler_config.json");
    defaults_ = read_object(folder + "/lcm.json");
}

bool Bundle::open_keras_folder(const std::string& config) {
    std::error_code ignored;
    if (fs::exists(files_.path + "/model_index.json", ignored)) return false;
    const auto parts = find_keras_parts(files_.path);
    if (parts.empty()) return false;
    if (!config.empty()) read_common(config);
    for (const Part part : {Part::unet, Part::text_encoder, Part::vae})  // the first tells the family
        if (const auto found = parts.find(part); found != parts.end())
            open_files(part, found->second, config.empty() ? "" : fmt::format("{}/{}", config, folder(part)));
    if (scheduler_.is_null() && has(Part::unet)) scheduler_ = published_scheduler(WeightFile(paths(Part::unet).front()), arch());
    is_file_ = true;
    return true;
}

/// @param config  folder of the part's configuration file, which need not be there
void Bundle::open_files(Part part, const std::vector<std::string>& files, const std::string& config) {
    const WeightFile file(files.front(), files_.lenient);
    const auto layout = find_layout(file, part);
    if (!layout) {
        throw Error(ExitCode::data, file.path(), fmt::format("holds no {} under names that are known", folder(part)),
                    "name a file that does");
    }
    PartSource source{file.path(), files, *layout, {}};
    if (!config.empty()) source.config = read_object(config + "/config.json");
    if (source.config.is_null() && part == Part::unet && layout->naming == Naming::diffusers && has(part))
        source.config = this->config(part);
    if (source.config.is_null()) source.config = config_from_shapes(file, part, *layout, has(Part::unet) ? arch() : "");
    parts_.insert_or_assign(part, std::move(source));
}

void Bundle::open_folder(const std::string& config) {
    read_common(config);
    for (const Part part : all_parts) {
        PartSource source;
        source.path = fmt::format("{}/{}", files_.path, folder(part));
        source.config = read_object(fmt::format("{}/{}/config.json", config, folder(part)));
        if (!source.config.is_null()) parts_.emplace(part, std::move(source));
    }
    if (index_.is_null() && parts_.empty()) {
        throw Error(ExitCode::no_input, config, "is no model folder: it has neither model_index.json nor unet/config.json",
                    "name a folder in the layout of diffusers, or a checkpoint file");
    }
}

void Bundle::open_checkpoint(const std::string& config) {
    const WeightFile file(files_.path, files_.lenient);
    if (!config.empty()) read_common(config);
    const std::map<Part, Layout> layouts = checkpoint_parts(file);
    for (const Part part : {Part::unet, Part::text_encoder, Part::text_encoder_2, Part::vae}) {  // the first tells the family
        const auto layout = layouts.find(part);
        if (layout == layouts.end()) continue;
        PartSource source{files_.path, {files_.path}, layout->second, {}};
        if (!config.empty()) source.config = read_object(fmt::format("{}/{}/config.json", config, folder(part)));
        if (source.config.is_null()) source.config = config_from_shapes(file, part, source.layout, has(Part::unet) ? arch() : "");
        parts_.emplace(part, std::move(source));
    }
    if (scheduler_.is_null() && has(Part::unet)) scheduler_ = published_scheduler(file, arch());
}

void Bundle::open_part(Part part, const std::string& path) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) return open_files(part, {path}, fs::path(path).parent_path().string());
    PartSource source;
    source.path = path;
    source.config = read_object(path + "/config.json");
    if (source.config.is_null()) {
        const auto keras = find_keras_parts(path);
        if (const auto found = keras.find(part); found != keras.end()) return open_files(part, found->second, "");
        throw Error(ExitCode::no_input, path + "/config.json", "there is no such file");
    }
    parts_.insert_or_assign(part, std::move(source));
}

/// Another prediction type than the scheduler's own, as the user says.
void Bundle::set_prediction_type() {
    if (files_.prediction_type.empty()) return;
    Json::Object settings = scheduler_.is_null() ? Json::Object() : scheduler_.as_object();
    settings.insert_or_assign("prediction_type", Json(files_.prediction_type, "--prediction-type"));
    scheduler_ = Json(std::move(settings), scheduler_.is_null() ? files_.path : scheduler_.place());
}

void Bundle::set_precision() {
    if (files_.int8_if_quantized && is_quantized() && device().is_cpu() && nn::has_quantized_products())
        files_.precision = Precision::int8;
}

bool Bundle::is_quantized() const {
    const Json* how = has(Part::unet) ? config(Part::unet).find(quantization_key) : nullptr;
    return how && to_json(*how) == quantization_value;
}

const PartSource& Bundle::source(Part part) const {
    const auto found = parts_.find(part);
    if (found != parts_.end()) return found->second;
    const std::string place = is_file_ ? files_.path : fmt::format("{}/{}/config.json", files_.path, folder(part));
    throw Error(ExitCode::no_input, place, fmt::format("the model has no {}", folder(part)));
}

std::string Bundle::arch() const {
    const Json& unet = config(Part::unet);
    if (unet.get("addition_embed_type", "") == "text_time") return "sdxl";
    const Json* width = unet.find("cross_attention_dim");
    if (width && width->is_array() && !width->as_array().empty()) width = &width->as_array().front();
    return width && width->as_integer() == 1024 ? "sd2" : "sd15";
}

LatentFormat Bundle::latent_format() const {
    constexpr double sdxl_factor = 0.13025;
    LatentFormat format;
    if (has(Part::vae)) return LatentFormat::from_json(config(Part::vae));
    if (has(Part::unet) && arch() == "sdxl") format.scaling_factor = sdxl_factor;
    return format;
}

std::string Bundle::tokenizer_path(Part part) const {
    const std::string own = config_folder_ + (part == Part::text_encoder_2 ? "/tokenizer_2" : "/tokenizer");
    std::error_code ignored;
    if (!config_folder_.empty() && (fs::exists(own, ignored) || !is_file_)) return own;
    constexpr std::int64_t published_size = 49408;
    const std::int64_t size = config(part).get("vocab_size", published_size);
    if (!files_.vocabulary.empty() && size == published_size) return files_.vocabulary;
    throw Error(ExitCode::no_input, files_.path,
                fmt::format("holds no tokenizer, and a vocabulary of {} entries is not the published one", size),
                "name a folder that has tokenizer/vocab.json: --model-config DIR");
}

bool Bundle::pads_with_zero(Part part) const { return source(part).layout.naming == Naming::open_clip; }

Defaults Bundle::defaults() const {
    const Json& unet = config(Part::unet);
    const auto [height, width] = latent_size(unet);
    const std::int64_t factor = latent_format().factor;
    expect_between(unet.place(), "sample_size", static_cast<double>(height), 1, static_cast<double>(max_side / factor));
    expect_between(unet.place(), "sample_size", static_cast<double>(width), 1, static_cast<double>(max_side / factor));

    Defaults defaults;
    defaults.width = defaults_.get("width", width * factor);
    defaults.height = defaults_.get("height", height * factor);
    defaults.steps = defaults_.get("steps", defaults.steps);
    // A UNet with a guidance embedding was distilled for guidance; any other few-step model wants none.
    defaults.guidance = defaults_.get("guidance", unet.find("time_cond_proj_dim") ? 8.0 : 1.0);
    const std::string& where = defaults_.place();
    expect_between(where, "width", static_cast<double>(defaults.width), static_cast<double>(factor), max_side);
    expect_between(where, "height", static_cast<double>(defaults.height), static_cast<double>(factor), max_side);
    expect_between(where, "steps", static_cast<double>(defaults.steps), 1, 1000);
    expect_between(where, "guidance", defaults.guidance, 0, 100);
    return defaults;
}

std::vector<std::string> Bundle::paths(Part part) const {
    const PartSource& from = source(part);  // a part without its configuration is not there
    return from.files.empty() ? find_weight_files(from.path, files_.variant) : from.files;
}

std::vector<WeightFile> Bundle::weights(Part part) const {
    std::vector<WeightFile> files;
    for (const std::string& path : paths(part)) files.emplace_back(path, files_.lenient);
    const PartSource& from = source(part);
    if (from.files.empty()) expect_index_agrees(from.path, files_.variant, files);
    return files;
}

std::string Bundle::sha256(Part part) const { return hash_files(paths(part)); }

std::string Bundle::text_sha256() const {
    std::vector<std::string> all = paths(Part::text_encoder);
    if (has(Part::text_encoder_2))
        for (const std::string& path : paths(Part::text_encoder_2))
            if (std::ranges::find(all, path) == all.end()) all.push_back(path);
    return hash_files(all);
}

void Bundle::expect_int8() const {
    if (!device().is_cpu())
        throw Error(ExitCode::refused, name(), "is not computed in int8 on a GPU", "compute on the CPU, or in bf16: --precision bf16");
    if (!is_quantized())
        throw Error(ExitCode::usage, name(), "is not quantized, so that it does not compute in int8",
                    "make a model that is: lcm-optimize quantize MODEL --calibrate RECORDS -o DIR");
    if (!nn::has_quantized_products())
        throw Error(ExitCode::refused, name(), "this CPU does not multiply bytes exactly (AVX512-VNNI, AMX)",
                    "compute in numbers: --precision f32");
}

namespace {

void note_kernels(at::Device device, at::ScalarType type) {
    note_engine("device", model_name(device));
    if (!device.is_cpu()) {
        note_engine("products", "cuda");
        note_engine("graphs", has_graphs() ? "yes" : "no");
        return;
    }
    note_engine("isa", lcm::name(instruction_set()));
    note_engine("products", nn::kernels(type));
    note_engine("attention", nn::kernels(type));
}

}  // namespace

template <typename Build>
auto Bundle::build(Part part, const nn::WeightLayer& layer, const Build& network) const {
    const bool ours = source(part).layout.naming == Naming::diffusers;
    const bool text = part == Part::text_encoder || part == Part::text_encoder_2;
    Precision precision = text ? Precision::f32 : this->precision();
    if (precision == Precision::int8 && part != Part::unet) precision = fastest_precision();
    const at::ScalarType type = type_of(precision);
    std::vector<WeightFile> files = weights(part);
    const std::unique_ptr<PackStore> packed = pack_store(part, precision, layer, files);
    WeightSet set = ours ? WeightSet(std::move(files), type, key_map(part)) : WeightSet(std::move(files), type, original_names(part));
    if (precision == Precision::int8) set.multiply_in_int8();
    note_engine("precision", lcm::name(precision));
    note_kernels(device(), type);
    return build_kept(std::move(set), device(), packed, network, layer);
}

/// Where the packed weights of a part are kept; null: nowhere.
std::unique_ptr<PackStore> Bundle::pack_store(Part part, Precision precision, const nn::WeightLayer& layer,
                                              const std::vector<WeightFile>& files) const {
    const bool is_known = !layer.is_there() || !layer.identity.empty();
    if (!files_.pack_cache || !device().is_cpu() || !is_known) return nullptr;
    return open_pack_cache(files, type_of(precision), [&] {
        std::string key = fmt::format("{}\n{}\n{}\n{}", folder(part), sha256(part), to_json(config(part)), lcm::name(precision));
        if (layer.is_there()) key += '\n' + layer.identity;
        return key;
    });
}

UNet Bundle::unet(const nn::WeightLayer& layer) const {
    if (precision() == Precision::int8) expect_int8();
    const auto settings = UNetConfig::from_json(config(Part::unet));
    return build(Part::unet, layer, [&](nn::WeightSource& set) { return UNet(settings, set, type_of(precision())); });
}

std::unique_ptr<VAE> Bundle::vae(VAEUse use) const {
    const Json& settings = config(Part::vae);
    auto plain = build(Part::vae, {}, [&](nn::WeightSource& set) { return make_vae(settings, set); });
    const auto [encoder, decoder] = plain->halves();
    if ((use == VAEUse::encode && !encoder) || (use == VAEUse::decode && !decoder)) {
        const char *held = encoder ? "encoder" : "decoder", *needed = encoder ? "decoder" : "encoder";
        throw Error(ExitCode::no_input, paths(Part::vae).front(),
                    fmt::format("holds the {} of a VAE alone, and the {} is needed", held, needed),
                    fmt::format("give a whole VAE, or the file of the {}, by --vae", needed));
    }
    if (precision() == Precision::f32 && device().is_cpu()) return plain;
    return with_weights_of(type_of(precision()), device(), std::move(plain));
}

CLIPTextModel Bundle::text_encoder(Part part, const nn::WeightLayer& layer) const {
    const auto settings = CLIPTextConfig::from_json(config(part));
    return build(part, layer, [&](nn::WeightSource& set) { return CLIPTextModel(settings, set); });
}

}  // namespace lcm
