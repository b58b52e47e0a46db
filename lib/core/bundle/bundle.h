#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.h"
#include "lib/core/bundle/part_source.h"
#include "lib/core/model/clip_text.h"
#include "lib/core/model/latent_format.h"
#include "lib/core/model/unet.h"
#include "lib/core/model/vae.h"
#include "lib/core/tensor/precision.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// What a picture gets when the user says nothing (`lcm.json`, else the model's own configuration).
struct Defaults {
    std::int64_t width = 512, height = 512, steps = 4;
    double guidance = 1.0;
};

/// What a user names as a model: a folder in diffusers layout or a checkpoint file, and what takes the place of things in it.
struct ModelFiles {
    std::string path;
    std::string name;                      ///< as the user wrote it (`lcm.model`); empty: the path
    bool lenient = false;                  ///< open weight files so (`WeightFile`)
    std::string config;                    ///< folder of configuration files that take the place of the model's own; empty: its own
    std::string prediction_type;           ///< "epsilon", "v_prediction" or "sample"; empty: the model's own
    std::string variant;                   ///< which weights of a folder are taken where there are several ("fp16"); empty: the usual ones
    std::map<Part, std::string> parts;     ///< a file or folder for a part, in the place of the model's own
    Precision precision = Precision::f32;  ///< what UNet and VAE compute in
    at::Device device = at::kCPU;          ///< where all networks compute
    bool pack_cache = false;               ///< keep packed weights of large parts in the user's cache (`pack_cache.h`)
    bool int8_if_quantized = false;        ///< int8 in its place, where the UNet is quantized and the device, a CPU, multiplies bytes
    std::string vocabulary;                ///< CLIP's merges.txt, for text encoders that come without a tokenizer; empty: none
};

/// What a VAE is asked for: a file may hold one half alone.
enum class VAEUse { any, encode, decode };

/// A tensor of a part's files under the name that our networks give it.
struct PartTensor {
    std::string name;   ///< ours; empty for one that no network uses
    std::string file;   ///< the path of its file
    TensorEntry entry;  ///< as it is stored
};

/// A model, opened by its configuration; networks are built on demand, weights stay mapped.
///
/// It is a diffusers folder, where a part is there when its folder has a `config.json`, or one checkpoint file in the original names of
/// Stable Diffusion, whose configuration stands in a folder beside it, else follows from its shapes, or a folder of KerasCV's weight
/// files, which stand for such a checkpoint. Parts may be missing (a folder with
/// a UNet alone serves denoising); whoever asks for one that is not there gets the error.
class Bundle {
public:
    /// Reads configurations, and of a checkpoint the header; no weights.
    /// @throws Error(no_input) when there is no such model, or nothing of a model in it; Error(data) when a file is broken, when a
    ///         checkpoint holds a tensor of no part, or when its configuration cannot be told; Error(refused) for pickles
    static Bundle open(const ModelFiles& files);
    static Bundle open(const std::string& path, const std::string& name = {}, bool lenient = false);

    /// The model's folder or checkpoint.
    const std::string& path() const { return files_.path; }
    /// The model as the user named it (`lcm.model`).
    const std::string& name() const { return files_.name; }
    /// True for a checkpoint, and for KerasCV's weights, which are one in several files; false for a folder in diffusers layout.
    bool is_file() const { return is_file_; }
    /// "sd15", "sd2" or "sdxl", by the UNet's configuration (`lcm.arch`). @throws Error(no_input) without a UNet
    std::string arch() const;

    bool has(Part part) const { return parts_.contains(part); }
    /// @throws Error(no_input) when the part is not there
    const Json& config(Part part) const { return source(part).config; }
    /// The scheduler's configuration: the model's file, else for a checkpoint what its family tells; or null.
    const Json& scheduler_config() const { return scheduler_; }
    /// `model_index.json`, or null.
    const Json& index() const { return index_; }
    /// @throws Error(no_input) without a UNet; Error(data) for values no picture can have
    Defaults defaults() const;
    /// By the VAE's configuration; that of the family without one. @throws Error(data)
    LatentFormat latent_format() const;
    /// The tokenizer of a text encoder: its folder, or CLIP's published `merges.txt`. @throws Error(no_input) when there is neither
    std::string tokenizer_path(Part part = Part::text_encoder) const;
    /// True where CLIP's published vocabulary is padded with "!" (id 0), as OpenCLIP does.
    bool pads_with_zero(Part part) const;

    /// Weight files of a part, in name order, mapped and validated. @throws as find_weight_files and WeightFile
    std::vector<WeightFile> weights(Part part) const;
    /// The tensors of a part as our networks name them, in the order of files and names.
    std::vector<PartTensor> tensors(Part part) const;
    /// SHA-256 of the part's weight files in name order, as 64 hex digits; cached by device, inode, size and time.
    std::string sha256(Part part) const;
    /// The same of all text encoders together (`lcm.text_sha256`).
    std::string text_sha256() const;

    /// Whether the UNet's weights are bytes with scales, by its configuration (`lcm-optimize quantize`).
    bool is_quantized() const;
    /// What UNet and VAE compute in.
    Precision precision() const { return files_.precision; }
    /// Where networks compute.
    at::Device device() const { return files_.device; }
    /// Whether packed weights are kept in the user's cache.
    bool pack_cache() const { return files_.pack_cache; }
    /// Networks that take and give f32 and compute in `precision()`, the text encoders in f32. @throws Error(data) when a weight is
    /// missing, unused or of another shape than the configuration says; Error(usage) for a UNet in int8 that is not quantized,
    /// Error(refused) where the device can not
    UNet unet(const nn::WeightLayer& layer = {}) const;
    /// @throws Error(no_input) naming the file when it does not hold the half that `use` needs
    std::unique_ptr<VAE> vae(VAEUse use = VAEUse::any) const;
    CLIPTextModel text_encoder(Part part = Part::text_encoder, const nn::WeightLayer& layer = {}) const;

private:
    void open_folder(const std::string& config);
    void open_checkpoint(const std::string& config);
    bool open_keras_folder(const std::string& config);
    void open_files(Part part, const std::vector<std::string>& files, const std::string& config);
    void open_part(Part part, const std::string& path);
    void read_common(const std::string& folder);
    void set_prediction_type();
    void set_precision();

    void expect_int8() const;
    const PartSource& source(Part part) const;
    std::vector<std::string> paths(Part part) const;
    NameTable original_names(Part part) const;
    std::unique_ptr<PackStore> pack_store(Part part, Precision precision, const nn::WeightLayer& layer,
                                          const std::vector<WeightFile>& files) const;
    template <typename Build>
    auto build(Part part, const nn::WeightLayer& layer, const Build& network) const;

    ModelFiles files_;
    bool is_file_ = false;
    std::string config_folder_;  ///< empty where a checkpoint has none
    Json index_, scheduler_, defaults_;
    std::map<Part, PartSource> parts_;
};

}  // namespace lcm
