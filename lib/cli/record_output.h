#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/cli/output_options.h"
#include "lib/cli/output_pattern.h"
#include "lib/stream/writer.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// Output flags of a tool that writes records.
struct RecordOutputOptions : OutputOptions {
    bool no_history = false;
    bool to_comfy = false;  ///< `--to comfy`: a `.latent` file of ComfyUI instead of a stream

    void declare(CLI::App& app);
    /// True when the one file is there and is a whole stream with the right checksums (`--skip-existing`).
    bool is_there() const;
};

/// Where records go: one stream, or a file for each record when the path is a pattern.
class RecordOutput {
public:
    /// @param tool   named in error records
    /// @param saved  called when a whole record has left for good
    /// @throws Error(usage) for a terminal or a wrong pattern, Error(cannot_create)
    RecordOutput(const RecordOutputOptions& options, std::string tool, std::function<void()> saved);

    /// True when the file of this record is there and is a whole stream with the right checksums; false where there is no file for each
    /// record.
    bool has(const Record& record, std::uint64_t number) const;

    /// Writes a data, end or passed-on error record. @throws Error(usage) for two files of one name, Error(io), Error(cannot_create),
    /// BrokenPipe
    void write(const Record& record, std::uint64_t number = 0);

    /// Tells the next tool that one request has failed (`--keep-going`).
    /// @param id  its `lcm.id`, may be empty
    void write_error(const Error& error, const std::string& id);

    /// Closes the stream with its final mark and a check.
    void finish();

    /// Sends the cause down the pipe and gives up. Never throws.
    void fail(const Error& error) noexcept;

private:
    void write_file(const std::string& path, std::span<const Record> records);

    RecordOutputOptions options_;
    std::string tool_;
    std::function<void()> saved_;
    OutputPattern pattern_;
    std::unique_ptr<RecordWriter> stream_;  ///< none where each record has a file, or for another format
    std::vector<Record> kept_;              ///< for ComfyUI's one tensor
};

}  // namespace lcm::cli
