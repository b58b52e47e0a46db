#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "lib/cli/batch_options.h"
#include "lib/cli/command.h"
#include "lib/sampling/denoiser.h"

namespace lcm::cli {

/// Pictures of lcm-denoise that wait to be denoised together (`--fuse-batch`), and leave in the order in which they came.
class FusedBatch {
public:
    FusedBatch(Context& context, const BatchOptions& batch) : context_(context), batch_(batch) {}

    /// One picture of a record.
    struct Picture {
        std::shared_ptr<const Record> record;
        DenoiseRequest request;
        std::uint64_t number = 0;
        bool final = false;  ///< ends the stream
    };

    void add(Picture picture) { waiting_.push_back(std::move(picture)); }
    std::size_t size() const { return waiting_.size(); }

    /// Denoises all that wait and writes them. A record of which a picture fails ends there, as it does alone (`fail_record`).
    void flush(const Denoiser& denoiser);

private:
    Context& context_;
    const BatchOptions& batch_;
    std::vector<Picture> waiting_;
};

/// Gives a denoised record the picture's own number and writes it. @param final  it ends the stream
void write_picture(Context& context, Record result, std::uint64_t number, bool final);

}  // namespace lcm::cli
