#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/error.h"
#include "lib/cli/common_options.h"
#include "lib/cli/depfile.h"
#include "lib/cli/plan.h"
#include "lib/cli/progress.h"
#include "lib/cli/record_output.h"
#include "lib/core/tensor/threads.h"
#include "lib/metrics/meter.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// What a command is given while it runs: its own name, the shared options, the output that carries errors down the pipe, and the
/// failures it went on after.
class Context {
public:
    Context(std::string tool, const CommonOptions& common) : tool_(std::move(tool)), common_(common), meter_(tool_) {}

    const std::string& tool() const { return tool_; }
    const CommonOptions& common() const { return common_; }

    /// Times and counts of this run.
    Meter& meter() { return meter_; }
    /// Shows the work record by record. Made by `start_progress`.
    Progress& progress() { return *progress_; }
    /// @param noun  what one record is to the user: "picture", "prompt". @throws Error(usage) for a descriptor that is not open
    void start_progress(const std::string& noun, bool data_on_stdout);

    /// Sets the threads to compute with.
    void apply_threads();
    /// A record is in work: this tool takes its part of the cores. @returns what ends it
    [[nodiscard]] std::shared_ptr<void> begin_work();
    /// What one evaluation of the network costs, so that the operations of steps are counted. @param operations  of a latent [height,width]
    void set_step_cost(std::function<double(std::int64_t height, std::int64_t width)> operations) { step_cost_ = std::move(operations); }
    /// Shows each step, and divides the cores again behind it.
    Observer& observer() { return observer_; }

    /// Opens the record output, once. On any later failure `run_main` sends the cause down the pipe through it.
    /// @throws Error(usage) for a terminal, Error(cannot_create)
    RecordOutput& open_output(const RecordOutputOptions& options);

    /// Writes a data record to the opened output; it is then done.
    void write(Record record, std::uint64_t number);
    /// Passes an end record or a failed request on; nothing happens in a tool without record output.
    void pass_on(const Record& record);
    /// Tells the next tool of a request that failed here.
    void write_error(const Error& error, const std::string& id);

    /// Adds this tool, its version and its generation flags to the record's history, unless `--no-history`.
    void add_history(Record& record) const;

    /// Tells that a whole record or picture has left: what SIGTERM then stops counts as saved (exit code 75).
    void count_saved() { ++saved_; }
    bool has_saved() const { return saved_ > 0; }
    bool output_opened() const { return opened_; }

    /// The files this run was made from (`-MD`); written by `write_dependencies`.
    Dependencies& dependencies() { return dependencies_; }
    void write_dependencies(const OutputOptions& output) const { dependencies_.write(output.depfile); }

    /// Reports a failure that ends one record or one input, not the work (`--keep-going`).
    void note_failure(const Error& error);
    /// The code of the first failure noted, else ok: what a tool that went on ends with.
    ExitCode result() const { return first_failure_.value_or(ExitCode::ok); }

    /// Sends the cause down the pipe and gives up the output. Never throws.
    void fail(const Error& error) noexcept;

    /// Sets the flags of group "Generation" as the user gave them, for `lcm.history`.
    void set_arguments(std::vector<std::string> arguments) { arguments_ = std::move(arguments); }

private:
    class StepObserver : public Observer {
    public:
        explicit StepObserver(Context& context) : context_(context) {}
        void on_start(int record, int step, int steps) override;
        void on_step(int record, int step, int steps) override;
        void on_fused(int pictures) override { context_.progress().on_fused(pictures); }
        void on_network(std::int64_t rows, std::int64_t height, std::int64_t width) override;

    private:
        Context& context_;
    };

    std::string tool_;
    const CommonOptions& common_;
    Meter meter_;
    std::optional<Progress> progress_;
    std::optional<ThreadBudget> threads_;
    std::function<double(std::int64_t, std::int64_t)> step_cost_;
    StepObserver observer_{*this};
    std::unique_ptr<RecordOutput> output_;
    std::optional<ExitCode> first_failure_;
    long saved_ = 0;
    bool opened_ = false, history_ = true;
    std::vector<std::string> arguments_;
    std::string created_;
    Dependencies dependencies_;
};

/// One thing a tool does: flags, checks, work. A tool is one command, or several behind subcommand names.
class Command {
public:
    virtual ~Command() = default;

    /// Name of the subcommand ("text"); empty for what the tool does without one.
    virtual std::string name() const { return {}; }
    /// One line for `--help`.
    virtual std::string summary() const = 0;
    /// Command lines shown first in `--help`, each with what it does.
    virtual std::vector<std::string> examples() const = 0;
    /// What one record is to the user, for progress.
    virtual std::string noun() const { return "record"; }
    /// True when stdout carries records, so that even a usage error travels down the pipe.
    virtual bool writes_records() const { return false; }

    /// True when stdout carries data of any kind, so that nothing else may be written there.
    virtual bool writes_data() const { return writes_records(); }

    /// Declares each flag once, with unit, range and default.
    virtual void declare(CLI::App& app) = 0;
    /// Rules between flags. @throws Error(usage) naming both
    virtual void check() {}
    /// What `run` would do, everything checked; nothing for a command that only reports. @throws as `run`
    virtual std::optional<Plan> plan(Context&) { return std::nullopt; }
    /// The work. @throws Error, Stopped, BrokenPipe
    virtual ExitCode run(Context& context) = 0;
};

/// Names of the groups that flags stand in.
namespace group {
inline constexpr const char* generation = "Generation";
inline constexpr const char* io = "Input and output";
inline constexpr const char* batch = "Many records";
inline constexpr const char* report = "Reports";
inline constexpr const char* common = "Everywhere";
}  // namespace group

}  // namespace lcm::cli
