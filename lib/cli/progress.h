#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "lib/cli/terminal_line.h"
#include "lib/sampling/observer.h"

namespace CLI {
class App;
}

namespace lcm {
class Meter;
}

namespace lcm::cli {

/// How progress is shown: `--progress` and `--progress-fd`.
struct ProgressOptions {
    std::string form = "auto";
    int fd = 2;

    void declare(CLI::App& app);
    /// To be called before any file is opened. @param data_on_stdout  descriptor 1 carries the tool's output
    /// @throws Error(usage) when the descriptor was not given open for writing, or carries data
    void check(bool data_on_stdout) const;
};

/// Follows the work of a tool record by record: shows it (cli-contract, section 5), counts it, and keeps what SIGUSR1 prints.
class Progress : public Observer {
public:
    /// @param quiet  no bar unless it was asked for
    /// @param noun   what one record is to the user: "picture", "prompt"
    /// @param meter  counts records, steps and the time of each step; must outlive this
    Progress(const ProgressOptions& options, bool quiet, std::string noun, Meter& meter);

    /// Work on the next record begins.
    void begin();
    void on_start(int record, int step, int steps) override;
    void on_step(int record, int step, int steps) override;
    void on_fused(int pictures) override { fused_ = pictures; }
    /// A record has left, whole: one that took no steps is told as one step.
    void done();
    /// No record is in work, done or not: the terminal is left to other tools.
    void rest();

private:
    using Clock = std::chrono::steady_clock;
    enum class Form { none, bar, plain, json };

    void tell(int record, int step, int steps);
    double seconds_left(int step, int steps) const;

    Form form_ = Form::none;
    int fd_;
    std::string noun_;
    Meter& meter_;
    TerminalLine line_;
    int done_ = 0, first_step_ = 0;
    int fused_ = 1;      // pictures of a step
    bool told_ = false;  // a step of the record in work
    Clock::time_point start_, last_;
};

/// Prints one line on stderr: `tool: 3 records done, at step 2 of 4`. Async-signal-safe.
void print_progress(std::string_view tool) noexcept;

}  // namespace lcm::cli
