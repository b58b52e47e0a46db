#include "lib/cli/progress.h"

#include <fmt/format.h>

#include <cstdio>

#include "lib/cli/standard_streams.h"

namespace lcm::cli {
namespace {

constexpr int bar_width = 24;

void to_stderr(const std::string& text) {
    std::fputs(text.c_str(), stderr);
    std::fflush(stderr);
}

}  // namespace

Progress::Progress(std::string tool, const std::string& mode, bool quiet) : tool_(std::move(tool)) {
    if (mode == "bar" || (mode == "auto" && is_terminal(2) && !quiet)) mode_ = Mode::bar;
    if (mode == "plain") mode_ = Mode::plain;
    if (mode == "json") mode_ = Mode::json;
}

Progress::~Progress() {
    if (bar_visible_) to_stderr("\r\x1b[K");
}

void Progress::on_step(int record, int step, int steps) {
    if (mode_ == Mode::none) return;
    const auto now = std::chrono::steady_clock::now();
    if (record != record_) {
        record_ = record;
        first_step_ = step;
        start_ = now;
    }
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    const int done = step - first_step_;
    const double eta = done > 0 ? elapsed / done * (steps - step) : 0;
    if (mode_ == Mode::bar) draw_bar(record, step, steps);
    if (mode_ == Mode::plain) to_stderr(fmt::format("{}: picture {}: step {} of {}\n", tool_, record, step, steps));
    if (mode_ == Mode::json)
        to_stderr(fmt::format("{{\"record\":{},\"step\":{},\"steps\":{},\"eta_s\":{:.1f}}}\n", record, step, steps, eta));
}

void Progress::draw_bar(int record, int step, int steps) {
    const int filled = steps > 0 ? bar_width * step / steps : bar_width;
    to_stderr(fmt::format("\r{}: picture {} [{}{}] {}/{}\x1b[K", tool_, record, std::string(filled, '#'),
                          std::string(bar_width - filled, '.'), step, steps));
    bar_visible_ = true;
}

}  // namespace lcm::cli
