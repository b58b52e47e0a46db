#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/core/model/clip_text.h"
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
class Bundle {
public:
    /// @throws Error(no_input) when there is no such folder or it has no model_index.json, Error(data)
    static Bundle open(const std::string& path);

    const std::string& path() const { return path_; }
    /// The model as the user named it (`lcm.model`).
    const std::string& name() const { return name_; }
    /// "sd15", "sd2" or "sdxl", by the UNet's configuration (`lcm.arch`).
    std::string arch() const;

    const Json& config(Part part) const;
    const Json& scheduler_config() const { return scheduler_; }
    const Json& index() const { return index_; }
    bool has(Part part) const;
    Defaults defaults() const;
    /// Folder of the tokenizer files.
    std::string tokenizer_path() const { return path_ + "/tokenizer"; }

    /// Weight files of a part, in name order, mapped and validated.
    std::vector<WeightFile> weights(Part part) const;
    /// SHA-256 of the part's weight files in name order, as 64 hex digits; cached by device, inode, size and time.
    std::string sha256(Part part) const;

    UNet unet() const;
    std::unique_ptr<VAE> vae() const;
    CLIPTextModel text_encoder() const;

private:
    std::string path_, name_;
    Json index_, scheduler_, text_encoder_, unet_, vae_;
    std::optional<Json> defaults_;
};

}  // namespace lcm
