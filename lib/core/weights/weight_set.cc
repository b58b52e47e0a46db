#include "lib/core/weights/weight_set.h"

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <utility>

#include "lib/base/error.h"

namespace lcm {

namespace {

/// True for [out,in] and [out,in,1,1], in either order: the same matrix as a linear layer and as a 1x1 convolution.
bool same_matrix(at::IntArrayRef a, at::IntArrayRef b) {
    if (a.size() > b.size()) return same_matrix(b, a);
    return a.size() == 2 && b.size() == 4 && a[0] == b[0] && a[1] == b[1] && b[2] == 1 && b[3] == 1;
}

constexpr const char* mismatch_fix = "the weights do not belong to the configuration beside them";

/// Kernels choose their way by alignment and then round differently: equal weights must compute equally wherever they lie in a file.
bool is_aligned(const at::Tensor& tensor) {
    constexpr std::uintptr_t alignment = 64;  // what libtorch's allocator gives
    return reinterpret_cast<std::uintptr_t>(tensor.const_data_ptr()) % alignment == 0;
}

}  // namespace

WeightSet::WeightSet(std::vector<WeightFile> files, at::ScalarType type, const KeyMap& map) : files_(std::move(files)), type_(type) {
    for (std::size_t i = 0; i < files_.size(); ++i) {
        for (const auto& [stored, entry] : files_[i].tensors()) {
            const std::string ours = map ? map(stored) : stored;
            if (ours.empty()) continue;
            const auto [first, is_new] = where_.emplace(ours, Place{i, stored});
            if (is_new) continue;
            const Place& other = first->second;
            throw Error(ExitCode::data, tensor_place(files_[i].path(), stored),
                        fmt::format("the same weight stands in {} too", tensor_place(files_[other.file].path(), other.name)));
        }
    }
}

at::Tensor WeightSet::take(const std::string& name, at::IntArrayRef shape) {
    const auto found = where_.find(name);
    if (found == where_.end())
        throw Error(ExitCode::data, tensor_place(files_.front().path(), name), "the tensor is missing", mismatch_fix);
    const WeightFile& file = files_[found->second.file];
    const std::string& stored = found->second.name;
    const TensorEntry& entry = file.tensors().find(stored)->second;
    if (!is_weight_type(entry.dtype)) {
        throw Error(ExitCode::data, tensor_place(file.path(), stored),
                    fmt::format("weights of dtype {} are not read", lcm::name(entry.dtype)), "store it as F32, F16 or BF16");
    }
    if (at::IntArrayRef(entry.shape) != shape && !same_matrix(entry.shape, shape)) {
        throw Error(ExitCode::data, tensor_place(file.path(), stored),
                    fmt::format("the shape is [{}], expected [{}]", fmt::join(entry.shape, ","), fmt::join(shape, ",")), mismatch_fix);
    }
    used_.insert(name);
    const at::Tensor weight = file.view(stored).to(type_).view(shape);
    return is_aligned(weight) ? weight : weight.clone();
}

void WeightSet::expect_all_used() const {
    constexpr std::size_t shown = 3;
    std::vector<std::string> unused;
    const Place* first = nullptr;
    for (const auto& [name, place] : where_) {
        if (used_.contains(name)) continue;
        if (!first) first = &place;
        unused.push_back(place.name);
    }
    if (unused.empty()) return;
    const std::size_t count = unused.size();
    const char* are = count == 1 ? "tensor is" : "tensors are";
    std::string more;
    if (count > shown) {
        more = fmt::format(" and {} more", count - shown);
        unused.resize(shown);
    }
    throw Error(ExitCode::data, files_[first->file].path(),
                fmt::format("{} {} not used by the network: {}{}", count, are, fmt::join(unused, ", "), more), mismatch_fix);
}

}  // namespace lcm
