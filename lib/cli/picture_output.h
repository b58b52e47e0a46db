#pragma once

#include <optional>
#include <string>

#include "lib/cli/output_pattern.h"
#include "lib/image/codec.h"
#include "lib/render/recipe.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// Output flags of a tool that writes pictures.
struct PictureOutputOptions {
    std::string path = "-", format, metadata = "full", preview = "none";
    int quality = 95;
    bool force = false, no_clobber = false, no_provenance = false;

    void declare(CLI::App& app);
};

/// Writes pictures to one file, to numbered files or to stdout.
class PictureOutput {
public:
    /// @throws Error(usage) for an unknown file name ending, a wrong pattern or a terminal
    explicit PictureOutput(const PictureOutputOptions& options);

    /// True when more than one picture has somewhere to go.
    bool takes_many() const { return pattern_.numbered(); }

    /// Writes the next picture with the recipe of `record`; it appears whole or not at all.
    void write(const Image& image, const Record& record);

private:
    PictureOutputOptions options_;
    OutputPattern pattern_;
    ImageFormat format_;
    MetadataLevel level_;
    std::uint64_t number_ = 0;
};

}  // namespace lcm::cli
