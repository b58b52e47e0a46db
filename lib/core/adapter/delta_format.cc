#include "lib/core/adapter/delta_format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/core/adapter/formats/formats.h"

namespace lcm {

std::span<const DeltaFormat> delta_formats() {
    static const std::array table{kohya_format(), peft_format(), diffusers_format(), loha_format(), lokr_format(), full_format()};
    return table;
}

const Leaf* leaf_of(std::string_view key) {
    const Leaf* longest = nullptr;
    for (const DeltaFormat& format : delta_formats())
        for (const Leaf& leaf : format.leaves)
            if (key.ends_with(leaf.ending) && (!longest || leaf.ending.size() > longest->ending.size())) longest = &leaf;
    return longest;
}

void ModuleParts::add(const Leaf& leaf, const std::string& key) {
    const auto [place, is_new] = keys_.emplace(leaf.part, key);
    if (!is_new)
        throw Error(ExitCode::data, tensor_place(file_->path(), key), fmt::format("the same change stands in \"{}\" too", place->second));
    endings_.emplace(leaf.ending, key);
}

Error ModuleParts::fault(std::string_view part, const std::string& what, const std::string& fix) const {
    const auto found = keys_.find(part);
    return Error(ExitCode::data, tensor_place(file_->path(), found == keys_.end() ? any_key() : found->second), what, fix);
}

at::Tensor ModuleParts::take(std::string_view part) const {
    const auto found = keys_.find(part);
    if (found == keys_.end())
        throw fault(part, fmt::format("the adapter lacks the \"{}\" that belongs to it", part), "download or export the adapter again");
    const TensorEntry& entry = file_->tensors().find(found->second)->second;
    if (!is_weight_type(entry.dtype))
        throw fault(part, fmt::format("adapters of dtype {} are not read", lcm::name(entry.dtype)), "store it as F32, F16 or BF16");
    return file_->view(found->second);
}

at::Tensor ModuleParts::take_matrix(std::string_view part) const {
    const at::Tensor tensor = take(part);
    const bool square = tensor.dim() != 4 || tensor.size(2) == tensor.size(3);
    if ((tensor.dim() == 2 || tensor.dim() == 4) && square && tensor.numel() > 0) return tensor;
    throw fault(part, fmt::format("its shape is [{}], expected [rows,columns] or [rows,columns,k,k]", fmt::join(tensor.sizes(), ",")));
}

void ModuleParts::set_alpha(double alpha, bool rank_stabilized) {
    alpha_ = alpha;
    rank_stabilized_ = rank_stabilized;
}

std::optional<double> ModuleParts::alpha() const {
    if (alpha_ || !has(part::alpha)) return alpha_;
    const at::Tensor tensor = take(part::alpha);
    if (tensor.numel() != 1) throw fault(part::alpha, fmt::format("alpha has {} numbers, expected one", tensor.numel()));
    const double alpha = tensor.item().toDouble();
    if (!std::isfinite(alpha)) throw fault(part::alpha, fmt::format("alpha is {}", alpha), "the file is damaged: download it again");
    return alpha;
}

double ModuleParts::scale(std::int64_t rank) const {
    const auto known = alpha();
    if (!known) return 1;
    return *known / (rank_stabilized_ ? std::sqrt(static_cast<double>(rank)) : static_cast<double>(rank));
}

}  // namespace lcm
