#include "lib/optimize/convert_weights.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <bit>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/stop.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/weights/weight_file.h"
#include "lib/stream/header.h"

namespace lcm {

namespace {

/// The header of the converted file, its tensors in canonical order: larger elements first, then by name.
Header converted_header(const WeightFile& file, Dtype target) {
    Header header;
    header.metadata = file.metadata();
    for (const auto& [name, entry] : file.tensors()) {
        TensorEntry& converted = header.tensors.emplace_back(entry);
        if (is_weight_type(entry.dtype)) converted.dtype = target;
    }
    std::ranges::stable_sort(header.tensors, std::ranges::greater{}, [](const TensorEntry& entry) { return bits(entry.dtype); });
    for (TensorEntry& entry : header.tensors) {
        entry.begin = header.data_bytes;
        entry.end = entry.begin + byte_size(entry.dtype, entry.shape).value();
        header.data_bytes = entry.end;
    }
    return header;
}

void write_tensor(ByteSink& sink, const WeightFile& file, const TensorEntry& stored, Dtype target) {
    if (!is_weight_type(stored.dtype)) return sink.write(file.bytes(stored));
    const at::Tensor values = file.view(stored.name);
    expect_fits(values, scalar_type(target), tensor_place(file.path(), stored.name));
    const at::Tensor converted = values.to(scalar_type(target)).contiguous();
    sink.write({static_cast<const std::byte*>(converted.const_data_ptr()), converted.nbytes()});
}

}  // namespace

std::uint64_t convert_weights(const std::string& from, const std::string& to, Dtype target, bool lenient) {
    const WeightFile file(from, lenient);
    const Header header = converted_header(file, target);
    const std::string text = format_header(header);
    const std::uint64_t length = text.size();
    const auto sink = sink_to_file(to);
    sink->write(std::as_bytes(std::span(&length, 1)));
    sink->write(as_bytes(text));
    for (const TensorEntry& entry : header.tensors) {
        check_stop();
        write_tensor(*sink, file, file.tensors().find(entry.name)->second, target);
    }
    sink->finish();
    return header.data_bytes;
}

}  // namespace lcm
