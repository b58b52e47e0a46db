#pragma once

#include <cstdint>
#include <string>

#include "lib/cli/output_options.h"
#include "lib/cli/output_pattern.h"
#include "lib/image/codec.h"
#include "lib/render/recipe.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// Output flags of a tool that writes pictures.
struct PictureOutputOptions : OutputOptions {
    std::string format, metadata = "full", preview = "none";
    int quality = 95;
    bool no_provenance = false;

    void declare(CLI::App& app);
};

/// Writes pictures to one file, to numbered files or to stdout.
class PictureOutput {
public:
    /// @throws Error(usage) for an unknown file name ending, a wrong pattern or a terminal
    explicit PictureOutput(const PictureOutputOptions& options);

    /// True when more than one picture has somewhere to go.
    bool takes_many() const { return pattern_.takes_many(); }

    /// True when the file of this picture is there, whole and with the recipe that it would get (`--skip-existing`).
    bool has(const Record& record, std::uint64_t number) const;

    /// Writes picture `number` with the recipe of `record`; it appears whole or not at all.
    /// @throws Error(usage) when a pattern gives two pictures of a run one name
    void write(const Image& image, const Record& record, std::uint64_t number);

private:
    PictureOutputOptions options_;
    OutputPattern pattern_;
    ImageFormat format_;
    MetadataLevel level_;
};

}  // namespace lcm::cli
