#include "lib/core/weights/weight_set.h"

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <utility>

#include "lib/base/error.h"
#include "lib/core/nn/convert.h"
#include "lib/core/weights/checkpoint_names.h"
#include "lib/core/weights/quantized_names.h"

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

/// What a packed form of a weight is called in a store.
std::string pack_name(const std::string& name, const std::string& form) { return fmt::format("{}|{}", name, form); }

constexpr std::int64_t stacked = 3;  // q, k and v

/// The shape of the stored tensor that a parameter of `shape` is cut from.
std::vector<std::int64_t> whole_shape(at::IntArrayRef shape, Cut cut) {
    std::vector<std::int64_t> whole = shape.vec();
    if (cut == Cut::transposed)
        std::swap(whole.at(0), whole.at(1));
    else if (cut != Cut::whole)
        whole.at(0) *= stacked;
    return whole;
}

at::Tensor piece(const at::Tensor& whole, Cut cut) {
    if (cut == Cut::whole) return whole;
    if (cut == Cut::transposed) return whole.t().contiguous();
    const std::int64_t rows = whole.size(0) / stacked;
    return whole.narrow(0, rows * (static_cast<std::int64_t>(cut) - static_cast<std::int64_t>(Cut::first_third)), rows);
}

}  // namespace

WeightSet::WeightSet(std::vector<WeightFile> files, at::ScalarType type, const KeyMap& map) : files_(std::move(files)), type_(type) {
    for (std::size_t i = 0; i < files_.size(); ++i)
        for (const auto& [stored, entry] : files_[i].tensors()) {
            const std::string ours = map ? map(stored) : stored;
            if (!ours.empty()) add(ours, {i, stored});
        }
}

WeightSet::WeightSet(std::vector<WeightFile> files, at::ScalarType type, const NameTable& table) : files_(std::move(files)), type_(type) {
    for (const auto& [stored, targets] : table.stored)
        for (const Target& target : targets) names_in_file_.emplace(target.name, table.prefix + stored);
    for (std::size_t i = 0; i < files_.size(); ++i)
        for (const auto& [stored, entry] : files_[i].tensors()) {
            if (!stored.starts_with(table.prefix)) continue;
            const std::string name = stored.substr(table.prefix.size());
            const auto known = table.stored.find(name);
            if (known != table.stored.end())
                for (const Target& target : known->second) add(target.name, {i, stored, target.cut});
            else if (!table.unused.contains(name) && !is_unused_in_checkpoints(name))
                add(stored, {i, stored});  // no network asks for a name that the table does not know
        }
}

void WeightSet::add(const std::string& ours, Place place) {
    const auto [first, is_new] = where_.emplace(ours, place);
    if (is_new) return;
    const Place& other = first->second;
    throw Error(ExitCode::data, tensor_place(files_[place.file].path(), place.name),
                fmt::format("the same weight stands in {} too", tensor_place(files_[other.file].path(), other.name)));
}

const WeightSet::Place& WeightSet::find(const std::string& name) const {
    const auto found = where_.find(name);
    if (found != where_.end()) return found->second;
    const auto in_file = names_in_file_.find(name);
    throw Error(ExitCode::data, tensor_place(files_.front().path(), in_file == names_in_file_.end() ? name : in_file->second),
                "the tensor is missing", mismatch_fix);
}

at::Tensor WeightSet::piece_of(const Place& place, at::IntArrayRef shape) const {
    const WeightFile& file = files_[place.file];
    const TensorEntry& entry = file.tensors().find(place.name)->second;
    const std::vector<std::int64_t> whole = whole_shape(shape, place.cut);
    if (entry.shape != whole && !same_matrix(entry.shape, whole)) {
        throw Error(ExitCode::data, tensor_place(file.path(), place.name),
                    fmt::format("the shape is [{}], expected [{}]", fmt::join(entry.shape, ","), fmt::join(whole, ",")), mismatch_fix);
    }
    return piece(file.view(place.name), place.cut);
}

at::Tensor WeightSet::take_as(const std::string& name, at::IntArrayRef shape, at::ScalarType type) {
    const Place& place = find(name);
    const WeightFile& file = files_[place.file];
    const Dtype dtype = file.tensors().find(place.name)->second.dtype;
    if (is_quantized(place)) return nn::dequantize(quantized(module_of_weight(name), shape)).to(type);
    if (!is_weight_type(dtype)) {
        throw Error(ExitCode::data, tensor_place(file.path(), place.name),
                    fmt::format("weights of dtype {} are not read", lcm::name(dtype)), "store it as F32, F16 or BF16");
    }
    const at::Tensor weight = nn::to_type(piece_of(place, shape), type).reshape(shape);
    used_.insert(name);
    return is_aligned(weight) ? weight : weight.clone();
}

at::Tensor WeightSet::take_stored(const std::string& name, at::IntArrayRef shape) {
    const Place& place = find(name);
    if (!is_weight_type(files_[place.file].tensors().find(place.name)->second.dtype)) return take_as(name, shape, at::kFloat);
    used_.insert(name);
    return piece_of(place, shape).reshape(shape);
}

nn::PackedWeight WeightSet::find_packed(const std::string& name, const std::string& form) {
    if (!store_ || !has(name)) return {};
    nn::PackedWeight packed = store_->find(pack_name(name, form));
    if (packed.weight.defined()) used_.insert(name);
    return packed;
}

nn::PackedWeight WeightSet::pack(const std::string& name, const std::string& form, const nn::Packing& packing) {
    return store_ ? store_->pack(pack_name(name, form), packing) : WeightSource::pack(name, form, packing);
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
