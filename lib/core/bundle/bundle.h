#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.h"
#include "lib/core/model/clip_text.h"
#include "lib/core/model/latent_format.h"
#include "lib/core/model/unet.h"
#include "lib/core/model/vae.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// The parts of a model that have weights.
enum class Part { text_encoder, unet, vae };

/// Folder name of a part: "text_encoder", "unet", "vae".
std::string_view folder(Part part);

/// What a picture gets when the user says nothing (`lcm.json`, else the model's own configuration).
struct Defaults {
    std::int64_t width = 512, height = 512, steps = 4;
    double guidance = 1.0;
};

/// A diffusers model folder, opened by its own configuration files; networks are built on demand, weights stay mapped.
///
/// A part is there when its folder has a `config.json`. Parts may be missing (a folder with a UNet alone serves denoising);
/// whoever asks for one that is not there gets the error.
class Bundle {
public:
    /// Reads `model_index.json`, each part's `config.json`, `scheduler/scheduler_config.json` and `lcm.json`, where they are; no weights.
    /// @param name  the model as the user named it; empty: the path
    /// @param lenient  open weight files so (`WeightFile`)
    /// @throws Error(no_input) when there is no such folder, or nothing of a model in it; Error(data) when a file is broken
    static Bundle open(const std::string& path, const std::string& name = {}, bool lenient = false);

    const std::string& path() const { return path_; }
    /// The model as the user named it (`lcm.model`).
    const std::string& name() const { return name_; }
    /// "sd15", "sd2" or "sdxl", by the UNet's configuration (`lcm.arch`). @throws Error(no_input) without a UNet
    std::string arch() const;

    bool has(Part part) const { return parts_.contains(part); }
    /// @throws Error(no_input) when the part is not there
    const Json& config(Part part) const;
    /// `scheduler/scheduler_config.json`, or null.
    const Json& scheduler_config() const { return scheduler_; }
    /// `model_index.json`, or null.
    const Json& index() const { return index_; }
    /// @throws Error(no_input) without a UNet; Error(data) for values no picture can have
    Defaults defaults() const;
    /// By the VAE's configuration; that of SD 1.5 without one. @throws Error(data)
    LatentFormat latent_format() const;
    /// Folder of the tokenizer files.
    std::string tokenizer_path() const { return path_ + "/tokenizer"; }

    /// Weight files of a part, in name order, mapped and validated. @throws as find_weight_files and WeightFile
    std::vector<WeightFile> weights(Part part) const;
    /// SHA-256 of the part's weight files in name order, as 64 hex digits; cached by device, inode, size and time.
    std::string sha256(Part part) const;

    /// Networks in f32. @throws Error(data) when a weight is missing, unused or of another shape than the configuration says
    UNet unet() const;
    std::unique_ptr<VAE> vae() const;
    CLIPTextModel text_encoder() const;

private:
    std::string part_path(Part part) const;

    std::string path_, name_;
    bool lenient_ = false;
    Json index_, scheduler_, defaults_;
    std::map<Part, Json> parts_;
};

}  // namespace lcm
