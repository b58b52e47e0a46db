#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/nn/packing.h"

namespace lcm::nn {

struct Epilogue;
struct GroupNormArguments;

/// A product beside a weight W, of the same inputs and outputs: y += up(down(x)). Both are undefined where there is none.
struct LowRank {
    at::Tensor down;  ///< [r,in], or [r,in,k,k] with the stride and padding of W
    at::Tensor up;    ///< [out,r], or [out,r,1,1]
};

/// What a product multiplies: the last dimension of its input by a matrix, or pixels by a square kernel.
struct ProductShape {
    std::int64_t in = 0, out = 0;
    std::int64_t kernel = 0;  ///< 0: a matrix
    std::int64_t stride = 1, padding = 0;
    bool bias = true;
    bool gated = false;  ///< the first half of a matrix's outputs are values, the second their gates (`Geglu`)

    bool is_matrix() const { return kernel == 0; }
    /// The shape of its weight, [out,in] or [out,in,k,k].
    std::vector<std::int64_t> weight() const {
        return is_matrix() ? std::vector{out, in} : std::vector{out, in, kernel, kernel};
    }
};

/// What stands in the place of a linear layer or a convolution: it multiplies in int8, or watches what is multiplied.
class Product {
public:
    virtual ~Product() = default;
    /// act(product + bias + channel) + residual, as the layer it stands for.
    virtual at::Tensor operator()(const at::Tensor& x, const Epilogue& epilogue) const = 0;
    /// Of norm(x), for an `x` that `takes_group_norm_kernel` and channels-last memory.
    virtual at::Tensor of_norm(const at::Tensor& x, const GroupNormArguments& norm, const Epilogue& epilogue) const;
    /// Values times gelu of their gates, where the shape is gated: half of its outputs.
    virtual at::Tensor geglu(const at::Tensor& x) const;
};

/// Where layers get their parameters. Implemented by `core/weights` and by tests.
class WeightSource {
public:
    virtual ~WeightSource() = default;

    /// Parameter `name` of exactly `shape` in the working type; a matrix [out,in] may be stored as the 1x1 convolution [out,in,1,1] and the
    /// reverse. @throws Error(data) naming file, tensor and both shapes
    virtual at::Tensor take(const std::string& name, at::IntArrayRef shape) = 0;
    /// The same before it is rounded to the working type: as it is stored, or in f32 where that takes work. For what is made of a weight,
    /// and for tables of which a few rows are read.
    virtual at::Tensor take_stored(const std::string& name, at::IntArrayRef shape) { return take(name, shape); }

    virtual bool has(const std::string& name) const = 0;

    /// The type of weights that layers may reorder, because nobody trains them: products then go the packed way. Nothing: they may not.
    virtual std::optional<at::ScalarType> packs() const { return {}; }

    /// Where the weights lie: there the network computes.
    virtual at::Device device() const { return at::kCPU; }

    /// The weight `name` as an earlier run has packed it; it counts as taken. `form` tells which of several orders or parts of it.
    virtual PackedWeight find_packed(const std::string& /*name*/, const std::string& /*form*/) { return {}; }
    /// The weight packed now, in memory unless the source keeps it for later runs.
    virtual PackedWeight pack(const std::string& /*name*/, const std::string& /*form*/, const Packing& packing) {
        return {nn::pack(packing), nullptr};
    }

    /// What is applied beside the weight `name` of `shape` while the layer runs (adapters); none unless a source says otherwise.
    virtual LowRank branch(const std::string& /*name*/, at::IntArrayRef /*shape*/) { return {}; }

    /// What computes the layer `module` in place of its parameters, which are then not taken; nothing unless a source says otherwise.
    virtual std::shared_ptr<const Product> product(const std::string& /*module*/, const ProductShape& /*shape*/) { return nullptr; }
};

/// What stands between a network's weights and its layers and changes what passes (adapters).
struct WeightLayer {
    std::function<std::unique_ptr<WeightSource>(WeightSource& weights)> over;  ///< empty: nothing does
    std::string identity;  ///< equal where the changes are; empty: nobody can tell

    bool is_there() const { return static_cast<bool>(over); }
};

/// A weight source seen from one module: names are relative to a dotted prefix.
class Scope {
public:
    explicit Scope(WeightSource& source, std::string prefix = {}) : source_(&source), prefix_(std::move(prefix)) {}

    /// The scope of child module `name` ("attn1", "to_out.0").
    Scope operator/(const std::string& name) const { return Scope(*source_, path(name)); }
    Scope operator/(std::size_t index) const { return *this / std::to_string(index); }

    at::Tensor take(const std::string& leaf, at::IntArrayRef shape) const { return source_->take(path(leaf), shape); }
    at::Tensor take_stored(const std::string& leaf, at::IntArrayRef shape) const { return source_->take_stored(path(leaf), shape); }
    LowRank branch(const std::string& leaf, at::IntArrayRef shape) const { return source_->branch(path(leaf), shape); }
    /// Of this module itself.
    std::shared_ptr<const Product> product(const ProductShape& shape) const { return source_->product(prefix_, shape); }
    bool has(const std::string& leaf) const { return source_->has(path(leaf)); }
    std::optional<at::ScalarType> packs() const { return source_->packs(); }
    at::Device device() const { return source_->device(); }
    PackedWeight find_packed(const std::string& leaf, const std::string& form) const { return source_->find_packed(path(leaf), form); }
    PackedWeight pack(const std::string& leaf, const std::string& form, const Packing& packing) const {
        return source_->pack(path(leaf), form, packing);
    }
    const std::string& prefix() const { return prefix_; }

private:
    std::string path(const std::string& leaf) const { return prefix_.empty() ? leaf : prefix_ + "." + leaf; }

    WeightSource* source_;
    std::string prefix_;
};

}  // namespace lcm::nn
