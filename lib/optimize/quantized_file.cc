#include "lib/optimize/quantized_file.h"

#include <ATen/ops/full.h>

#include "lib/base/file.h"
#include "lib/base/stop.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/weights/quantized_names.h"
#include "lib/optimize/quantize_weight.h"
#include "lib/stream/header.h"

namespace lcm {

namespace {

/// The steps of the layer that a tensor is the weight of, or nullptr.
const LayerSteps* layer_of(const QuantizedLayers& layers, const std::string& tensor) {
    const auto found = layers.find(module_of_weight(tensor));
    return found == layers.end() ? nullptr : &found->second;
}

Header quantized_header(const std::vector<WeightFile>& files, const QuantizedLayers& layers) {
    Header header;
    header.metadata = files.front().metadata();
    for (const WeightFile& file : files)
        for (const auto& [name, entry] : file.tensors()) {
            header.tensors.push_back(entry);
            if (!layer_of(layers, name)) continue;
            header.tensors.back().dtype = Dtype::I8;
            const std::string module = module_of_weight(name);
            header.tensors.push_back({module + std::string(weight_scale_name), Dtype::F32, {entry.shape.front()}});
            header.tensors.push_back({module + std::string(input_scale_name), Dtype::F32, {1}});
            header.tensors.push_back({module + std::string(input_zero_point_name), Dtype::U8, {1}});
        }
    lay_out(header);
    return header;
}

const WeightFile* file_with(const std::vector<WeightFile>& files, const std::string& tensor) {
    for (const WeightFile& file : files)
        if (file.has(tensor)) return &file;
    return nullptr;
}

/// What stands beside a quantized weight.
at::Tensor companion(const QuantizedLayers& layers, const std::string& tensor) {
    const std::size_t dot = tensor.rfind('.');
    const LayerSteps& layer = layers.find(tensor.substr(0, dot))->second;
    const std::string_view ending = std::string_view(tensor).substr(dot);
    if (ending == weight_scale_name) return layer.scale;
    if (ending == input_scale_name) return at::full({1}, layer.input.scale, at::kFloat);
    return at::full({1}, layer.input.zero_point, at::kByte);
}

void write_tensor(ByteSink& sink, const at::Tensor& tensor) {
    const at::Tensor rows = tensor.contiguous();
    sink.write({static_cast<const std::byte*>(rows.const_data_ptr()), rows.nbytes()});
}

}  // namespace

std::uint64_t write_quantized(const std::vector<WeightFile>& files, const std::string& to, const QuantizedLayers& layers) {
    const Header header = quantized_header(files, layers);
    const auto sink = sink_to_file(to);
    sink->write(as_bytes(frame_of(format_header(header))));
    for (const TensorEntry& entry : header.tensors) {
        check_stop();
        const WeightFile* file = file_with(files, entry.name);
        if (!file)
            write_tensor(*sink, companion(layers, entry.name));
        else if (const LayerSteps* layer = layer_of(layers, entry.name))
            write_tensor(*sink, weight_steps(file->view(entry.name), layer->scale));
        else
            sink->write(file->bytes(file->tensors().find(entry.name)->second));
    }
    sink->finish();
    return header.data_bytes;
}

}  // namespace lcm
