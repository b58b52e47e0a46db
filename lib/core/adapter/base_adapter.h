#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/core/adapter/model_parameters.h"
#include "lib/core/nn/weight_source.h"

namespace lcm {

/// Where in a run an adapter is called.
struct AdapterStep {
    int step = 0, steps = 0;  ///< steps done, and in all
    double timestep = 0;      ///< of the network's call; 0 outside of one
};

/// What a UNet is conditioned on.
struct AdapterConditions {
    at::Tensor context;     ///< [1,T,D]
    at::Tensor pooled;      ///< [1,P]; undefined without one
    bool negative = false;  ///< of the negative prompt
};

/// Something that steers a model: weights, conditions or latents. Subclass, override what it changes, and add a line to the list in
/// `lib/optimize/init.cc`. Every default changes nothing; tensors are given by value and come back in the same shape and type.
class BaseAdapter {
public:
    virtual ~BaseAdapter() = default;

    /// Latents [B,C,H,W]: the start noise, the UNet's input and output, the estimate of the clean latent of a step, and the result.
    virtual at::Tensor initial(at::Tensor latent, const AdapterStep&) const { return latent; }
    virtual at::Tensor before_unet(at::Tensor sample, const AdapterStep&) const { return sample; }
    virtual at::Tensor after_unet(at::Tensor output, const AdapterStep&) const { return output; }
    virtual at::Tensor denoised(at::Tensor clean, const AdapterStep&) const { return clean; }
    virtual at::Tensor final(at::Tensor latent, const AdapterStep&) const { return latent; }

    /// Conditions of a picture, before its first step.
    virtual AdapterConditions conditions(AdapterConditions given) const { return given; }

    /// True when it changes weights of a network: that one is then built with it.
    virtual bool changes(Network) const { return false; }
    /// The change of `parameter` in f64, of the shape of `weight`, which is the model's own; undefined: none.
    virtual at::Tensor weight_delta(Network, const std::string& /*parameter*/, const at::Tensor& /*weight*/) const { return {}; }
    /// The same change of a parameter of `shape` as two factors in f64, where it is a plain product.
    virtual std::optional<nn::LowRank> low_rank(Network, const std::string& /*parameter*/, at::IntArrayRef /*shape*/) const {
        return std::nullopt;
    }
    /// What computes a layer of a network in its place, made of the model's own `weights`; none: the layer itself.
    virtual std::shared_ptr<const nn::Product> product(Network, const std::string& /*module*/, const nn::ProductShape&,
                                                       nn::WeightSource& /*weights*/) const {
        return nullptr;
    }
};

/// How changes of weights are applied.
enum class AdapterMode {
    merge,    ///< added to the weights when a network takes them: no cost a step
    runtime,  ///< plain products stay beside the weight, which stays in the mapped file; the rest is merged. Equal to 1e-5 relative
};

/// The adapters of a picture in their order. Each changes the model's own weights, and the changes add up.
struct AdapterSet {
    std::vector<std::shared_ptr<const BaseAdapter>> adapters;
    AdapterMode mode = AdapterMode::merge;
    std::string identity;  ///< equal when the adapters are; empty for none

    bool changes(Network network) const;
};

/// "merge", "runtime".
std::string_view name(AdapterMode mode);

}  // namespace lcm
