#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/stream/reader.h"
#include "lib/stream/writer.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// Input flags of a filter: `-i` or FILE operands, in order; none or `-` is stdin.
struct RecordInputOptions {
    std::vector<std::string> files;

    /// @param operands  false where the tool's operands are something else (prompts)
    void declare(CLI::App& app, bool operands = true);
};

/// The records of all inputs, one after the other.
class RecordInput {
public:
    /// Opens the first input. @throws Error(usage) when stdin is a terminal, Error(no_input)
    explicit RecordInput(const RecordInputOptions& options);

    /// The next data or end record, its place set; nothing after the last input.
    std::optional<Record> next();

private:
    void open_next();

    std::vector<std::string> names_;
    std::size_t position_ = 0;
    std::unique_ptr<RecordReader> reader_;
};

/// Output flags of a tool that writes records.
struct RecordOutputOptions {
    std::string path = "-";
    bool force = false, no_clobber = false, no_history = false;

    void declare(CLI::App& app);
};

/// Refuses binary data on a terminal, unless forced, and on a stdout that was closed; for a tool that must know before its work.
/// @throws Error(usage), Error(io)
void expect_binary_output(const std::string& path, bool force);

/// Opens `path` ("-" is stdout). @throws Error(usage) for a terminal unless forced, Error(cannot_create)
std::unique_ptr<ByteSink> open_sink(const std::string& path, bool force, bool no_clobber);

/// Declares `-f/--force` and `--no-clobber` of any output.
void declare_overwrite(CLI::App& app, bool& force, bool& no_clobber);

/// Opens `path` ("-" is stdin). @throws Error(usage) when stdin is a terminal, Error(no_input)
std::unique_ptr<ByteSource> open_source(const std::string& path);

}  // namespace lcm::cli
