#include "lib/core/weights/weight_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "lib/base/error.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/weights/keras_names.h"
#include "lib/stream/sniff.h"

namespace lcm {

namespace {

constexpr std::size_t length_bytes = 8;

/// The header's length N, refused before anything of that size is touched.
std::uint64_t header_length(std::span<const std::byte> file, const std::string& path) {
    if (file.empty()) throw Error(ExitCode::data, path, "the file is empty", "download it again");
    refuse_foreign(file.first(std::min<std::size_t>(file.size(), 512)), path);
    if (file.size() < length_bytes)
        throw Error(ExitCode::data, path, fmt::format("{} bytes are too short for a safetensors file", file.size()), "download it again");
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), length_bytes);
    const std::uint64_t limit = HeaderLimits::model().header_bytes;
    if (length > limit) throw Error(ExitCode::data, path, fmt::format("the header length {} is above {}", length, limit));
    if (length > file.size() - length_bytes) {
        throw Error(ExitCode::data, path, fmt::format("truncated: a header of {} bytes in a file of {}", length, file.size()),
                    "download it again");
    }
    return length;
}

}  // namespace

WeightFile::WeightFile(const std::string& path, bool lenient) : file_(path) {
    if (is_hdf5(file_.bytes()))
        read_keras();
    else
        read_safetensors(lenient);
}

void WeightFile::read_keras() {
    for (NamedKerasWeight& weight : name_keras_weights(read_keras_file(path()), path())) {
        const std::string where = tensor_place(path(), weight.stored.path);
        const auto size = byte_size(weight.stored.dtype, weight.stored.shape);
        if (!size || *size > file_.bytes().size() || weight.stored.offset > file_.bytes().size() - *size)
            throw Error(ExitCode::data, where, "truncated: its data reach beyond the file", "download it again");
        TensorEntry entry{weight.name, weight.stored.dtype, weight.stored.shape, weight.stored.offset, weight.stored.offset + *size};
        for (std::size_t i = 0; i < weight.order.size(); ++i)
            entry.shape[i] = weight.stored.shape[static_cast<std::size_t>(weight.order[i])];
        tensors_.emplace(weight.name, std::move(entry));
        if (!weight.order.empty()) orders_.emplace(weight.name, std::move(weight.order));
    }
}

void WeightFile::read_safetensors(bool lenient) {
    const std::string& path = file_.path();
    const std::span<const std::byte> file = file_.bytes();
    const std::uint64_t length = header_length(file, path);
    data_begin_ = length_bytes + length;
    const std::string_view text(reinterpret_cast<const char*>(file.data()) + length_bytes, length);
    Header header = parse_header(text, HeaderLimits::model(lenient), path);

    const std::uint64_t data_bytes = file.size() - data_begin_;
    if (data_bytes != header.data_bytes) {
        const char* fault = data_bytes < header.data_bytes ? "truncated: " : "";
        throw Error(ExitCode::data, path,
                    fmt::format("{}the header describes {} bytes of data, the file holds {}", fault, header.data_bytes, data_bytes),
                    "download it again");
    }
    metadata_ = std::move(header.metadata);
    for (TensorEntry& entry : header.tensors) {
        std::string name = entry.name;
        tensors_.emplace(std::move(name), std::move(entry));
    }
}

std::span<const std::byte> WeightFile::bytes(const TensorEntry& entry) const {
    return file_.bytes().subspan(data_begin_ + entry.begin, entry.end - entry.begin);
}

at::Tensor WeightFile::view(std::string_view name) const {
    const auto found = tensors_.find(name);
    const std::string where = tensor_place(path(), name);
    if (found == tensors_.end()) throw Error(ExitCode::data, where, "there is no such tensor");
    const TensorEntry& entry = found->second;
    try {
        const auto turned = orders_.find(name);
        if (turned == orders_.end()) return to_torch({entry.dtype, entry.shape, bytes(entry), file_.owner()});
        std::vector<std::int64_t> shape(entry.shape.size());
        for (std::size_t i = 0; i < shape.size(); ++i) shape[static_cast<std::size_t>(turned->second[i])] = entry.shape[i];
        return to_torch({entry.dtype, shape, bytes(entry), file_.owner()}).permute(turned->second).contiguous();
    } catch (const Error& error) {
        throw Error(error.code(), where, error.fault(), error.fix());
    }
}

bool is_weight_type(Dtype dtype) { return dtype == Dtype::F32 || dtype == Dtype::F16 || dtype == Dtype::BF16; }

std::string tensor_place(const std::string& path, std::string_view name) { return fmt::format("{}: tensor \"{}\"", path, name); }

}  // namespace lcm
