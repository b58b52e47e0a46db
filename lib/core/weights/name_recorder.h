#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/core/nn/weight_source.h"

namespace lcm {

/// Hears which parameters a network asks for. It gives tensors without memory: a network built on it computes nothing.
class NameRecorder : public nn::WeightSource {
public:
    at::Tensor take(const std::string& name, at::IntArrayRef shape) override;
    bool has(const std::string&) const override { return true; }

    /// The shape of each parameter, by its name.
    const std::map<std::string, std::vector<std::int64_t>, std::less<>>& shapes() const { return shapes_; }
    std::vector<std::string> names() const;

private:
    std::map<std::string, std::vector<std::int64_t>, std::less<>> shapes_;
};

}  // namespace lcm
