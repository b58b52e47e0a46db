#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lib/core/nn/weight_source.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// The weights of one part (UNet, VAE, ...) as layers ask for them: names mapped to ours, type converted, use recorded.
///
/// Where file and working type agree a parameter is a view of the mapped file and keeps the mapping alive; else it is a copy.
/// So the set can be dropped once a network is built.
class WeightSet : public nn::WeightSource {
public:
    /// Maps a name in the file to the one our networks use; an empty result drops a tensor known to be unused.
    using KeyMap = std::function<std::string(const std::string&)>;

    /// @param files  at least one, in name order
    /// @param type   the working type, a floating one
    /// @throws Error(data) naming both places when two tensors get one name
    WeightSet(std::vector<WeightFile> files, at::ScalarType type, const KeyMap& map = {});

    /// Only F32, F16 and BF16 tensors are weights. A linear layer stored as a 1x1 convolution [out,in,1,1], or the reverse, is reshaped.
    at::Tensor take(const std::string& name, at::IntArrayRef shape) override;
    bool has(const std::string& name) const override { return where_.contains(name); }

    /// @throws Error(data) naming the first tensors no layer asked for: nothing in a file is ignored in silence
    void expect_all_used() const;

private:
    struct Place {
        std::size_t file;
        std::string name;
    };
    std::vector<WeightFile> files_;
    at::ScalarType type_;
    std::map<std::string, Place, std::less<>> where_;
    std::set<std::string, std::less<>> used_;
};

}  // namespace lcm
