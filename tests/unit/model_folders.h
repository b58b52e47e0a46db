#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

/// A model of the golden data ("lcm", "sd15", "sdxl").
inline std::string golden_model(const std::string& name) { return std::string(std::getenv("LCM_TESTDATA")) + "/golden/models/" + name; }

/// The small trained model that ships with the tools.
inline std::string shipped_model() { return std::string(std::getenv("LCM_SOURCE_ROOT")) + "/lib/models/emoji-128"; }

/// A copy of a model folder that a test may break.
inline std::string copy_model(const std::string& from, const std::string& to) {
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
    return to;
}
