#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "lib/core/bundle/bundle.h"

namespace lcm {

/// What running a network costs, from the shapes of its weights; nothing is loaded.
struct Cost {
    double operations = 0;            ///< floating-point operations of one evaluation (a multiply and an add are two)
    std::uint64_t weight_bytes = 0;   ///< of the network as it runs, in f32
    std::uint64_t working_bytes = 0;  ///< activations at the widest place, an estimate

    /// The cost of both, one after the other.
    Cost& operator+=(const Cost& other);
};

/// One evaluation of a part for one picture: of the UNet a step, of the VAE a decode, of the text encoder one text of 77 tokens.
/// @param height,width  of the latent; not used for text
Cost cost_of(const Bundle& bundle, Part part, std::int64_t height, std::int64_t width);

/// Operations of one evaluation of some parts by the latent's size; each size is counted once.
class OperationTable {
public:
    /// Parts that the bundle does not have cost nothing.
    OperationTable(Bundle bundle, std::vector<Part> parts) : bundle_(std::move(bundle)), parts_(std::move(parts)) {}

    /// @param height,width  of the latent; not used for text
    double operator()(std::int64_t height = 0, std::int64_t width = 0);

private:
    Bundle bundle_;
    std::vector<Part> parts_;
    std::map<std::pair<std::int64_t, std::int64_t>, double> known_;
};

}  // namespace lcm
