#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/core/adapter/module_names.h"

namespace lcm {

/// How much of an adapter each block of a network gets: "down:1,mid:0.5,up:0", "up.1:0.3", "text:0".
///
/// A name stands for all modules that begin with it: `down`, `mid`, `up`, one of their blocks by its number from 0 (`down.1`), or a module
/// as diffusers names it (`down_blocks.1.attentions.0`); `text`, `text_encoder`, `text_encoder_2` and with `.N` a layer. Of several that
/// match the longest counts; what none matches gets 1.
class BlockWeights {
public:
    BlockWeights() = default;
    /// @throws Error(data) naming the part that is not NAME:NUMBER or stands twice
    static BlockWeights parse(std::string_view text);

    /// The factor of a module.
    double of(const ModuleRef& module) const;
    /// Refuses a name that matches no module of the model. @throws Error(data)
    void expect_known(const ModelParameters& parameters) const;
    bool empty() const { return rules_.empty(); }

private:
    struct Rule {
        std::string written;  ///< as the user wrote it, for messages
        std::string prefix;   ///< "unet.down_blocks.1"
        double factor = 1;
        bool matches(std::string_view full) const;
    };
    std::vector<Rule> rules_;
};

}  // namespace lcm
