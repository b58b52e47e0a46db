#include "lib/sampling/fused_unet.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include <map>
#include <utility>

namespace lcm {
namespace {

/// What inputs must have in common to be one batch: which tensors there are, and their shapes without the rows.
using Signature = std::pair<double, std::vector<std::vector<std::int64_t>>>;

Signature signature_of(UNetInputs inputs) {
    Signature signature{inputs.token_merge, {}};
    const auto count = [](const auto& list) { return std::vector{std::ssize(list)}; };
    signature.second = {count(inputs.down_residuals), count(inputs.adapter_states), count(inputs.image_prompt)};
    for (const at::Tensor* tensor : tensors_of(inputs)) {
        std::vector<std::int64_t> shape;
        if (tensor->defined()) shape.assign(tensor->sizes().begin() + 1, tensor->sizes().end());
        shape.insert(shape.begin(), tensor->defined() ? 1 : 0);
        signature.second.push_back(std::move(shape));
    }
    return signature;
}

/// A tensor of one row for all, as one of `rows`.
at::Tensor with_rows(const at::Tensor& tensor, std::int64_t rows) {
    std::vector<std::int64_t> shape = tensor.sizes().vec();
    shape.front() = rows;
    return tensor.expand(shape);
}

}  // namespace

UNetInputs FusedUNet::joined(const std::vector<UNetInputs>& inputs, const std::vector<std::size_t>& members) {
    std::vector<UNetInputs> parts;
    std::vector<std::vector<at::Tensor*>> tensors;
    for (const std::size_t member : members) parts.push_back(inputs[member]);
    for (UNetInputs& part : parts) tensors.push_back(tensors_of(part));
    UNetInputs all = parts.front();
    std::vector<const ContextCache*> company;
    for (const UNetInputs& part : parts) company.push_back(part.context_cache.get());
    auto& cache = caches_[company];
    if (!cache) cache = std::make_shared<ContextCache>();
    all.context_cache = cache;
    const std::vector<at::Tensor*> targets = tensors_of(all);
    for (std::size_t i = 0; i < targets.size(); ++i) {
        if (!targets[i]->defined()) continue;
        std::vector<at::Tensor> rows;
        for (std::size_t p = 0; p < parts.size(); ++p) rows.push_back(with_rows(*tensors[p][i], inputs[members[p]].sample.size(0)));
        *targets[i] = at::cat(rows);
    }
    return all;
}

std::vector<UNetOutputs> FusedUNet::evaluate(const std::vector<UNetInputs>& inputs) {
    std::map<Signature, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < inputs.size(); ++i) groups[signature_of(inputs[i])].push_back(i);
    std::vector<UNetOutputs> outputs(inputs.size());
    for (const auto& [signature, members] : groups) {
        if (members.size() == 1) {
            outputs[members.front()] = unet_.evaluate(inputs[members.front()]);
            continue;
        }
        const UNetOutputs all = unet_.evaluate(joined(inputs, members));
        std::int64_t row = 0;
        for (const std::size_t member : members) {
            const std::int64_t rows = inputs[member].sample.size(0);
            outputs[member] = {all.sample.narrow(0, row, rows), all.deep.narrow(0, row, rows)};
            row += rows;
        }
    }
    return outputs;
}

}  // namespace lcm
