#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "lib/core/model/unet.h"

namespace lcm {

/// Evaluates a network on the inputs of several pictures, all that fit each other (size, tokens, kinds of conditions) as one batch. A
/// picture that fits no other is evaluated alone.
class FusedUNet {
public:
    /// @param unet  must live as long
    explicit FusedUNet(const UNet& unet) : unet_(unet) {}

    /// @param inputs  each of a picture, one row or more, which keeps its `context_cache` from step to step. @throws as UNet::forward
    std::vector<UNetOutputs> evaluate(const std::vector<UNetInputs>& inputs);

private:
    UNetInputs joined(const std::vector<UNetInputs>& inputs, const std::vector<std::size_t>& members);

    const UNet& unet_;
    /// Keys and values of a batch's contexts, by the caches of its pictures, which live as long.
    std::map<std::vector<const ContextCache*>, std::shared_ptr<ContextCache>> caches_;
};

}  // namespace lcm
