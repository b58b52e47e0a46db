#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

#include <map>
#include <string>

#include "lib/core/nn/weight_source.h"

/// Parameters drawn from a seeded normal distribution when a layer first asks for them; the same ones whenever it asks again.
class RandomWeights : public lcm::nn::WeightSource {
public:
    explicit RandomWeights(at::ScalarType type = at::kFloat, bool trained = false)
        : type_(type), trained_(trained), generator_(at::detail::createCPUGenerator(7)) {}

    at::Tensor take(const std::string& name, at::IntArrayRef shape) override {
        auto [place, is_new] = tensors_.try_emplace(name);
        if (is_new) place->second = at::randn(shape, generator_, type_).mul_(0.3).requires_grad_(trained_);
        return place->second;
    }
    bool has(const std::string&) const override { return true; }
    at::ScalarType type() const { return type_; }

    /// What was asked for, by name.
    std::map<std::string, at::Tensor>& tensors() { return tensors_; }

private:
    at::ScalarType type_;
    bool trained_;
    at::Generator generator_;
    std::map<std::string, at::Tensor> tensors_;
};
