#pragma once

#include <map>
#include <memory>
#include <string>

#include "lib/core/adapter/base_adapter.h"
#include "lib/optimize/activation_range.h"

namespace lcm {

/// A linear layer or convolution of the UNet under watch.
struct WatchedLayer {
    nn::ProductShape shape;
    std::int64_t rows = 0;  ///< the most positions (tokens, pixels) in a call
    ActivationRange inputs;
    std::shared_ptr<const nn::Product> candidate;  ///< while defined, inputs are no longer watched but results compared with its own
    double error_squares = 0, squares = 0;         ///< of the candidate's results, and of the layer's own

    /// The candidate's error relative to the layer's results (root mean square); 0 where nothing was compared.
    double relative_error() const;
};

/// Layers by the names of their modules.
using WatchedLayers = std::map<std::string, std::shared_ptr<WatchedLayer>, std::less<>>;

/// Watches every product of a UNet, which computes as it would without it.
class Calibration : public BaseAdapter {
public:
    bool changes(Network network) const override { return network == Network::unet; }
    std::shared_ptr<const nn::Product> product(Network network, const std::string& module, const nn::ProductShape& shape,
                                               nn::WeightSource& weights) const override;

    /// Those of the network that was built with this.
    const WatchedLayers& layers() const { return *layers_; }

private:
    std::shared_ptr<WatchedLayers> layers_ = std::make_shared<WatchedLayers>();
};

}  // namespace lcm
