#pragma once

#include <string>
#include <vector>

#include "lib/core/model/unet.h"
#include "lib/sampling/picture_control.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// What one flag says of a steering network: "[MAP=]PATH[:SCALE[:START-END]]".
struct ControlRequest {
    std::string map;  ///< empty: the record's only one
    std::string path;
    double scale = 1;
    StepWindow window;
};

/// @param flag  for errors. @throws Error(usage)
ControlRequest parse_control(const std::string& text, const std::string& flag);

/// `--controlnet`, `--t2i-adapter`, `--ip-adapter`: the networks that steer a UNet beside its text.
struct ControlOptions {
    std::vector<std::string> controlnets, t2i_adapters;
    std::string ip_adapter;
    bool guess_mode = false;

    void declare(CLI::App& app);
    /// @throws Error(usage)
    void check() const;
    /// Opens the networks. @throws Error(no_input), Error(data) when one is broken or does not fit the UNet
    ControlSet open(const UNetConfig& unet) const;
    /// The folders and files of the networks.
    std::vector<std::string> files() const;
};

}  // namespace lcm::cli
