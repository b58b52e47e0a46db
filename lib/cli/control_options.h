#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

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

/// The networks that steer a UNet beside its text: a flag for each of `control_kinds()`, such as `--controlnet`.
struct ControlOptions {
    std::map<std::string_view, std::vector<std::string>> networks;  ///< by kind
    bool guess_mode = false;

    void declare(CLI::App& app);
    /// @throws Error(usage)
    void check() const;
    /// The flags as entries of a record; the networks are found and hashed. @throws Error(usage), Error(no_input)
    std::vector<ControlEntry> entries() const;
};

}  // namespace lcm::cli
