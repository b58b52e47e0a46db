#pragma once

#include <chrono>
#include <string>

#include "lib/sampling/observer.h"

namespace lcm::cli {

/// Shows steps on stderr: a bar on a terminal, plain lines, JSON lines (cli-contract, section 5), or nothing.
class Progress : public Observer {
public:
    /// @param mode  auto, bar, plain, json or none; `auto` is a bar on a terminal and nothing elsewhere
    Progress(std::string tool, const std::string& mode, bool quiet);
    ~Progress() override;

    void on_step(int record, int step, int steps) override;

private:
    void draw_bar(int record, int step, int steps);

    enum class Mode { none, bar, plain, json };

    std::string tool_;
    Mode mode_ = Mode::none;
    bool bar_visible_ = false;
    int record_ = -1, first_step_ = 0;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace lcm::cli
