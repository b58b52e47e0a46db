#include "lib/core/bundle/bundle.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <utility>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/base/resource_limits.h"
#include "lib/core/bundle/part_hash.h"
#include "lib/core/bundle/weight_files.h"
#include "lib/core/weights/key_map.h"
#include "lib/core/weights/weight_set.h"
#include "lib/stream/sniff.h"

namespace lcm {

namespace fs = std::filesystem;

namespace {

constexpr Part all_parts[] = {Part::text_encoder, Part::unet, Part::vae};

/// Refuses what is no folder, and says what it is where that is known.
[[noreturn]] void refuse_file(const std::string& path) {
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) {
        Bytes head(512);
        const std::size_t count = source_from_file(path)->read_full(head);
        refuse_foreign(std::span(head).first(count), path);
    }
    throw Error(ExitCode::no_input, path, "is a file, not a model folder", "name the folder that holds model_index.json");
}

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

/// A weight set of one part: `build` takes what it needs from it, and nothing may be left over.
template <typename Build>
auto build_network(std::vector<WeightFile> files, const WeightSet::KeyMap& map, const Build& build) {
    WeightSet weights(std::move(files), at::kFloat, map);
    auto network = build(weights);
    weights.expect_all_used();
    return network;
}

}  // namespace

std::string_view folder(Part part) {
    switch (part) {
        case Part::text_encoder:
            return "text_encoder";
        case Part::unet:
            return "unet";
        case Part::vae:
            return "vae";
    }
    throw Error(ExitCode::software, "", "no such part");
}

Bundle Bundle::open(const std::string& path, const std::string& name, bool lenient) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) throw Error(ExitCode::no_input, path, "there is no such model folder");
    if (!fs::is_directory(path, ignored)) refuse_file(path);
    Bundle bundle;
    bundle.path_ = path;
    bundle.name_ = name.empty() ? path : name;
    bundle.lenient_ = lenient;
    bundle.index_ = read_object(path + "/model_index.json");
    bundle.scheduler_ = read_object(path + "/scheduler/scheduler_config.json");
    bundle.defaults_ = read_object(path + "/lcm.json");
    for (const Part part : all_parts) {
        Json config = read_object(bundle.part_path(part) + "/config.json");
        if (!config.is_null()) bundle.parts_.emplace(part, std::move(config));
    }
    if (bundle.index_.is_null() && bundle.parts_.empty()) {
        throw Error(ExitCode::no_input, path, "is no model folder: it has neither model_index.json nor unet/config.json",
                    "name a folder in the layout of diffusers");
    }
    return bundle;
}

std::string Bundle::part_path(Part part) const { return fmt::format("{}/{}", path_, folder(part)); }

const Json& Bundle::config(Part part) const {
    const auto found = parts_.find(part);
    if (found != parts_.end()) return found->second;
    throw Error(ExitCode::no_input, part_path(part) + "/config.json", fmt::format("the model has no {}", folder(part)));
}

std::string Bundle::arch() const {
    const Json& unet = config(Part::unet);
    if (unet.get("addition_embed_type", "") == "text_time") return "sdxl";
    const Json* width = unet.find("cross_attention_dim");
    if (width && width->is_array() && !width->as_array().empty()) width = &width->as_array().front();
    return width && width->as_integer() == 1024 ? "sd2" : "sd15";
}

LatentFormat Bundle::latent_format() const { return has(Part::vae) ? LatentFormat::from_json(config(Part::vae)) : LatentFormat(); }

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

std::vector<WeightFile> Bundle::weights(Part part) const {
    config(part);  // a part without its configuration is not there
    std::vector<WeightFile> files;
    for (const std::string& path : find_weight_files(part_path(part))) files.emplace_back(path, lenient_);
    return files;
}

std::string Bundle::sha256(Part part) const {
    config(part);
    return hash_files(find_weight_files(part_path(part)));
}

UNet Bundle::unet() const {
    const auto settings = UNetConfig::from_json(config(Part::unet));
    return build_network(weights(Part::unet), {}, [&](WeightSet& set) { return UNet(settings, set); });
}

std::unique_ptr<VAE> Bundle::vae() const {
    const Json& settings = config(Part::vae);
    return build_network(weights(Part::vae), vae_key, [&](WeightSet& set) { return make_vae(settings, set); });
}

CLIPTextModel Bundle::text_encoder() const {
    const auto settings = CLIPTextConfig::from_json(config(Part::text_encoder));
    return build_network(weights(Part::text_encoder), text_encoder_key, [&](WeightSet& set) { return CLIPTextModel(settings, set); });
}

}  // namespace lcm
