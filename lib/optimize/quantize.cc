#include "lib/optimize/quantize.h"

#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/stop.h"
#include "lib/core/bundle/weight_files.h"
#include "lib/core/model/quantization.h"
#include "lib/core/nn/quantized.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/weights/quantized_names.h"
#include "lib/optimize/calibration.h"
#include "lib/optimize/convert_config.h"
#include "lib/optimize/model_copy.h"
#include "lib/optimize/output_folder.h"
#include "lib/optimize/quantize_rule.h"
#include "lib/optimize/quantize_weight.h"
#include "lib/optimize/quantized_file.h"
#include "lib/sampling/denoiser.h"
#include "lib/stream/keys.h"

namespace lcm {

namespace {

namespace fs = std::filesystem;

constexpr const char* unet_folder = "unet";
constexpr const char* unet_weights_name = "diffusion_pytorch_model.safetensors";
constexpr const char* report_name = "quantization.json";

Bundle opened(const std::string& path, Precision precision) {
    ModelFiles files;
    files.path = path;
    files.precision = precision;
    return Bundle::open(files);
}

/// Draws the same pictures with several networks.
class Pictures {
public:
    Pictures(const std::vector<Record>& records, int steps, Observer& observer) : records_(records), observer_(observer) {
        request_.steps = steps;
    }

    /// The latents of all records, [C,h,w] in f64.
    std::vector<at::Tensor> draw(const Denoiser& denoiser) {
        std::vector<at::Tensor> latents;
        for (std::size_t i = 0; i < records_.size(); ++i) {
            DenoiseRequest request = request_;
            request.seed = i;
            const Record drawn = denoiser.denoise(records_[i], request, drawn_++, observer_);
            latents.push_back(to_torch(drawn.tensor("latent")).to(at::kDouble));
        }
        return latents;
    }

private:
    const std::vector<Record>& records_;
    Observer& observer_;
    DenoiseRequest request_;
    int drawn_ = 0;
};

/// The root mean square of the differences relative to that of `exact`, over all latents.
double relative_error(const std::vector<at::Tensor>& latents, const std::vector<at::Tensor>& exact) {
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < latents.size(); ++i) {
        difference += (latents[i] - exact[i]).square().sum().item<double>();
        size += exact[i].square().sum().item<double>();
    }
    return std::sqrt(difference / size);
}

/// A parameter of the UNet, or an undefined tensor.
at::Tensor parameter(const std::vector<WeightFile>& files, const std::string& name) {
    for (const WeightFile& file : files)
        if (file.has(name)) return file.view(name);
    return {};
}

/// Gives every layer that may be quantized a candidate, and tells how it is made.
QuantizedLayers make_candidates(const WatchedLayers& layers, const std::vector<WeightFile>& files, at::ScalarType type, bool every_layer) {
    QuantizedLayers quantized;
    for (const auto& [module, layer] : layers) {
        check_stop();
        if (!reason_to_stay(layer->shape, layer->rows, every_layer).empty()) continue;
        const std::string name = module + std::string(weight_name);
        const at::Tensor weight = parameter(files, name).reshape(layer->shape.weight());
        expect_finite(weight, name);
        const LayerSteps steps{row_scales(weight), layer->inputs.steps()};
        const at::Tensor bias = layer->shape.bias ? parameter(files, module + ".bias") : at::Tensor();
        const nn::QuantizedWeight candidate{weight_steps(weight, steps.scale), steps.scale, steps.input};
        layer->candidate = nn::quantized_product(layer->shape, candidate, bias, type);
        quantized.emplace(module, steps);
    }
    return quantized;
}

/// Takes those out that err too much, and tells of all.
std::vector<LayerReport> settle(QuantizedLayers& quantized, const WatchedLayers& layers, bool every_layer) {
    std::vector<LayerReport> reports;
    for (const auto& [module, layer] : layers) {
        std::string reason = reason_to_stay(layer->shape, layer->rows, every_layer);
        LayerReport& report = reports.emplace_back(LayerReport{module, std::move(reason), layer->relative_error()});
        if (report.error <= largest_layer_error) continue;
        report.reason = error_reason;
        quantized.erase(module);
    }
    return reports;
}

void write_unet(const Bundle& model, const fs::path& to, const QuantizedLayers& layers, QuantizeReport& report) {
    const fs::path from = fs::path(model.path()) / unet_folder;
    fs::create_directory(to);
    for (const std::string& name : companions(from))
        if (name != config_name) copy_whole(from / name, to / name);
    write_file(to / config_name, with_member(read_text_file(from / config_name, config_limit), quantization_key, quantization_value));
    const auto files = model.weights(Part::unet);
    for (const WeightFile& file : files)
        for (const auto& [name, entry] : file.tensors()) report.bytes_before += entry.end - entry.begin;
    report.bytes_after = write_quantized(files, to / unet_weights_name, layers);
}

/// Every part but the UNet, with its weights as they are.
void copy_others(const fs::path& from, const fs::path& to) {
    for (const std::string& name : companions(from)) copy_whole(from / name, to / name);
    for (const std::string& part : part_folders(from)) {
        if (part == unet_folder) continue;
        fs::create_directory(to / part);
        for (const auto& entry : fs::directory_iterator(from / part)) {
            const std::string name = entry.path().filename();
            if (!name.starts_with('.') && entry.is_regular_file()) copy_whole(entry.path(), to / part / name);
        }
    }
}

void expect_possible(const Bundle& model, const std::vector<Record>& records, const std::string& out_dir) {
    if (model.is_file())
        throw Error(ExitCode::usage, model.path(), "is a checkpoint in one file; only folders are quantized",
                    "use a model folder in the layout of diffusers");
    if (model.is_quantized()) throw Error(ExitCode::usage, model.path(), "is quantized already", "name the model it was made from");
    if (records.empty()) throw Error(ExitCode::data, "--calibrate", "holds no record to draw", "give a stream of lcm-encode");
    if (!nn::has_quantized_products())
        throw Error(ExitCode::refused, "", "this CPU does not multiply bytes exactly (AVX512-VNNI, AMX)", "quantize on one that does");
    expect_apart(model.path(), out_dir);
}

/// Watches the UNet draw, then compares each layer in int8 on the same pictures.
QuantizedLayers calibrate(const Bundle& model, Pictures& pictures, bool every_layer, QuantizeReport& report,
                          std::vector<at::Tensor>& latents) {
    const auto calibration = std::make_shared<Calibration>();
    AdapterSet watching;
    watching.adapters.push_back(calibration);
    const Denoiser denoiser(model, watching);
    latents = pictures.draw(denoiser);
    QuantizedLayers layers = make_candidates(calibration->layers(), model.weights(Part::unet), type_of(report.plain), every_layer);
    pictures.draw(denoiser);
    report.layers = settle(layers, calibration->layers(), every_layer);
    return layers;
}

}  // namespace

QuantizeReport quantize(const Bundle& model, const std::vector<Record>& records, const std::string& out_dir,
                        const QuantizeSettings& settings, Observer& observer) {
    const c10::InferenceMode no_gradients;
    expect_possible(model, records, out_dir);
    QuantizeReport report;
    report.model = model.name();
    report.records = records.size();
    report.steps = settings.steps;
    report.plain = fastest_precision();
    Pictures pictures(records, settings.steps, observer);
    try {
        OutputFolder output(out_dir, settings.existing);
        const fs::path folder = output.temporary_path();
        std::vector<at::Tensor> plain;
        const QuantizedLayers layers = calibrate(opened(model.path(), report.plain), pictures, settings.every_layer, report, plain);
        write_unet(model, folder / unet_folder, layers, report);
        copy_others(model.path(), folder);
        const auto exact = pictures.draw(Denoiser(opened(model.path(), Precision::f32)));
        const auto quantized = pictures.draw(Denoiser(opened(folder, Precision::int8)));
        report.error_f32 = relative_error(quantized, exact);
        report.error_plain = relative_error(quantized, plain);
        report.plain_error_f32 = relative_error(plain, exact);
        write_file(folder / report_name, report_json(report));
        output.finish();
    } catch (const fs::filesystem_error& error) {
        throw Error(ExitCode::io, error.path1(), error.code().message());
    }
    return report;
}

}  // namespace lcm
