#include "lib/cli/progress.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstring>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/terminal.h"
#include "lib/cli/command.h"
#include "lib/metrics/meter.h"

namespace lcm::cli {
namespace {

constexpr int bar_width = 24;

// What a signal handler prints; each number is true by itself.
std::atomic<int> records_done{0}, step_done{0}, steps_in_all{0};
std::atomic<bool> in_work{false};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free, "read in a signal handler");

/// A line put together without memory of its own; what does not fit is left out.
class ShortLine {
public:
    ShortLine& operator<<(std::string_view text) noexcept {
        const auto size = std::min(text.size(), static_cast<std::size_t>(end() - at_));
        std::memcpy(at_, text.data(), size);
        at_ += size;
        return *this;
    }
    ShortLine& operator<<(int number) noexcept {
        at_ = std::to_chars(at_, end(), number).ptr;
        return *this;
    }
    std::string_view text() const noexcept { return {text_, static_cast<std::size_t>(at_ - text_)}; }

private:
    char* end() noexcept { return text_ + sizeof text_; }

    char text_[200];
    char* at_ = text_;
};

std::string bar(int step, int steps) {
    const int filled = steps > 0 ? bar_width * step / steps : bar_width;
    return fmt::format("[{}{}] {}/{}", std::string(filled, '#'), std::string(bar_width - filled, '.'), step, steps);
}

}  // namespace

void ProgressOptions::declare(CLI::App& app) {
    app.add_option("--progress", form, "Progress on stderr: auto (a bar on a terminal), bar, plain, json or none")
        ->check(CLI::IsMember({"auto", "bar", "plain", "json", "none"}))
        ->type_name("FORM")
        ->capture_default_str()
        ->group(group::common);
    app.add_option("--progress-fd", fd, "Progress on this open descriptor; there, auto is json unless it is a terminal")
        ->check(CLI::Range(0, 1'000'000))
        ->type_name("N")
        ->group(group::common);
}

void ProgressOptions::check(bool data_on_stdout) const {
    const auto refuse = [this](const char* fault, const char* fix) {
        throw Error(ExitCode::usage, "--progress-fd", fmt::format("{} {}", fd, fault), fix);
    };
    if (fd == STDERR_FILENO) return;
    const int mode = ::fcntl(fd, F_GETFL);
    // A descriptor that the launcher gave lives through exec; one with FD_CLOEXEC is a library's own.
    if (mode == -1 || (mode & O_ACCMODE) == O_RDONLY || (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0)
        refuse("is not open for writing", "open it in the shell: 3>progress.jsonl");
    if (fd == STDOUT_FILENO && data_on_stdout) refuse("is standard output and carries the data", "give another descriptor");
}

Progress::Progress(const ProgressOptions& options, bool quiet, std::string noun, Meter& meter)
    : fd_(options.fd), noun_(std::move(noun)), meter_(meter), line_(options.fd), start_(Clock::now()) {
    if (options.form == "bar" || (options.form == "auto" && can_animate(fd_) && !quiet))
        form_ = Form::bar;
    else if (options.form == "plain")
        form_ = Form::plain;
    else if (options.form == "json" || (options.form == "auto" && fd_ != STDERR_FILENO))
        form_ = Form::json;
}

void Progress::begin() {
    in_work = true;
    steps_in_all = 0;
    told_ = false;
    if (form_ == Form::bar) line_.show(fmt::format("{}: {} {}", meter_.tool(), noun_, done_));
}

void Progress::on_start(int record, int step, int steps) {
    step_done = first_step_ = step;
    steps_in_all = steps;
    in_work = true;
    start_ = last_ = Clock::now();
    if (form_ == Form::bar) tell(record, step, steps);
}

void Progress::on_step(int record, int step, int steps) {
    const auto now = Clock::now();
    meter_.add(Stage::step, std::exchange(last_, now), now);
    meter_.count(Counter::steps, static_cast<std::uint64_t>(fused_));
    step_done = step;
    tell(record, step, steps);
}

void Progress::done() {
    if (!told_) tell(done_, 1, 1);
    told_ = false;
    meter_.count(Counter::records);
    records_done = ++done_;
    rest();
}

void Progress::rest() {
    in_work = false;
    line_.clear();
}

void Progress::tell(int record, int step, int steps) {
    told_ = true;
    const auto& tool = meter_.tool();
    if (form_ == Form::bar)
        line_.show(fmt::format("{}: {} {} {}, {:.1f} s left", tool, noun_, record, bar(step, steps), seconds_left(step, steps)));
    if (form_ == Form::plain) write_line(fd_, fmt::format("{}: {} {}: step {} of {}", tool, noun_, record, step, steps));
    if (form_ == Form::json)
        write_line(fd_, fmt::format("{{\"record\":{},\"step\":{},\"steps\":{},\"eta_s\":{:.1f}}}", record, step, steps,
                                    seconds_left(step, steps)));
}

double Progress::seconds_left(int step, int steps) const {
    if (step <= first_step_) return 0;
    return std::chrono::duration<double>(Clock::now() - start_).count() / (step - first_step_) * (steps - step);
}

void print_progress(std::string_view tool) noexcept {
    ShortLine line;
    if (::isatty(STDERR_FILENO) == 1) line << erase_line;
    line << tool << ": " << records_done.load() << " records done";
    if (const int steps = steps_in_all; !in_work)
        line << ", waiting";
    else if (steps > 0)
        line << ", at step " << step_done.load() << " of " << steps;
    else
        line << ", one in work";
    line << "\n";
    write_raw(STDERR_FILENO, line.text());
}

}  // namespace lcm::cli
