#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/error.h"
#include "lib/cli/common_options.h"
#include "lib/cli/record_io.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// What a command is given while it runs: its own name, the shared options and the output that carries errors down the pipe.
class Context {
public:
    Context(std::string tool, const CommonOptions& common) : tool_(std::move(tool)), common_(common) {}

    const std::string& tool() const { return tool_; }
    const CommonOptions& common() const { return common_; }

    /// Opens the record output, once. On any later failure `run_main` sends the cause down the pipe through it.
    /// @throws Error(usage) for a terminal, Error(cannot_create)
    RecordWriter& open_output(const RecordOutputOptions& options);

    /// Writes a record to the opened output, and counts it where it is not part of a file that only the end makes visible.
    void write(RecordWriter& output, const Record& record);

    /// Adds this tool, its version and its generation flags to the record's history, unless `--no-history`.
    void add_history(Record& record) const;

    /// Tells that a whole record or picture has left: what SIGTERM then stops counts as saved (exit code 75).
    void count_saved() { ++saved_; }
    bool has_saved() const { return saved_ > 0; }
    bool output_opened() const { return opened_; }

    /// Sends the cause down the pipe and gives up the output. Never throws.
    void fail(const Error& error) noexcept;

    /// Sets the flags of group "Generation" as the user gave them, for `lcm.history`.
    void set_arguments(std::vector<std::string> arguments) { arguments_ = std::move(arguments); }

private:
    std::string tool_;
    const CommonOptions& common_;
    std::unique_ptr<RecordWriter> output_;
    long saved_ = 0;
    bool opened_ = false, at_once_ = false, history_ = true;
    std::vector<std::string> arguments_;
};

/// One thing a tool does: flags, checks, work. A tool is one command, or several behind subcommand names.
class Command {
public:
    virtual ~Command() = default;

    /// Name of the subcommand ("text"); empty when the tool has only this one.
    virtual std::string name() const { return {}; }
    /// One line for `--help`.
    virtual std::string summary() const = 0;
    /// Command lines shown first in `--help`, each with what it does.
    virtual std::vector<std::string> examples() const = 0;
    /// True when stdout carries records, so that even a usage error travels down the pipe.
    virtual bool writes_records() const { return false; }

    /// Declares each flag once, with unit, range and default.
    virtual void declare(CLI::App& app) = 0;
    /// Rules between flags. @throws Error(usage) naming both
    virtual void check() {}
    /// The work. @throws Error, Stopped, BrokenPipe
    virtual ExitCode run(Context& context) = 0;
};

/// Names of the groups that flags stand in.
namespace group {
inline constexpr const char* generation = "Generation";
inline constexpr const char* io = "Input and output";
inline constexpr const char* common = "Everywhere";
}  // namespace group

}  // namespace lcm::cli
