#include "lib/cli/measure_options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <utility>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/terminal.h"
#include "lib/cli/command.h"
#include "lib/metrics/meter.h"
#include "lib/metrics/summary.h"
#include "lib/metrics/trace.h"

namespace lcm::cli {

void MeasureOptions::declare(CLI::App& app) {
    app.add_flag("--stats", stats_, "At the end print times, counts and memory to stderr, as one line of JSON")->group(group::report);
    app.add_option("--metrics", metrics_, "Write them to this file as Prometheus text")->type_name("FILE")->group(group::report);
    app.add_option("--trace", trace_, "Append what was done when to this file, as lines of OTLP-JSON; the tools of a pipe can share it")
        ->type_name("FILE")
        ->group(group::report);
}

void MeasureOptions::apply(Meter& meter) {
    if (!metrics_.empty()) metrics_sink_ = sink_to_file(metrics_);
    if (stats_ || metrics_sink_) meter.expect_reader();
    if (!trace_.empty()) meter.set_trace(std::make_unique<Trace>(meter.tool(), trace_, meter.start()));
    asked_ = true;
}

void MeasureOptions::finish(Meter& meter, ExitCode code) {
    if (!std::exchange(asked_, false)) return;
    if (stats_) write_line(STDERR_FILENO, stats_json(meter));
    if (metrics_sink_) {
        metrics_sink_->write(as_bytes(prometheus_text(meter, code, now_seconds())));
        metrics_sink_->finish();
    }
    if (meter.trace() != nullptr) meter.trace()->finish(code);
}

}  // namespace lcm::cli
