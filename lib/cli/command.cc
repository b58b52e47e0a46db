#include "lib/cli/command.h"

#include <ATen/Parallel.h>

#include "lib/base/log.h"
#include "lib/core/tensor/threads.h"
#include "lib/metrics/trace.h"
#include "lib/stream/writer.h"

namespace lcm::cli {

RecordOutput& Context::open_output(const RecordOutputOptions& options) {
    opened_ = true;
    history_ = !options.no_history;
    created_ = options.created();
    output_ = std::make_unique<RecordOutput>(options, tool_, [this] { count_saved(); });
    return *output_;
}

void Context::start_progress(const std::string& noun, bool data_on_stdout) {
    common_.progress.check(data_on_stdout);
    progress_.emplace(common_.progress, common_.log.quiet, noun, meter_);
}

void Context::apply_threads() {
    threads_.emplace(common_.threads);
    meter_.set_threads(at::get_num_threads());
}

std::shared_ptr<void> Context::begin_work() {
    if (!threads_) return nullptr;
    threads_->begin();
    return {&*threads_, [](ThreadBudget* threads) { threads->end(); }};
}

void Context::StepObserver::on_start(int record, int step, int steps) { context_.progress().on_start(record, step, steps); }

void Context::StepObserver::on_step(int record, int step, int steps) { context_.progress().on_step(record, step, steps); }

void Context::StepObserver::on_network(std::int64_t rows, std::int64_t height, std::int64_t width) {
    if (context_.step_cost_ && context_.meter_.has_reader())
        context_.meter_.add_operations(Stage::step, static_cast<double>(rows) * context_.step_cost_(height, width));
}

void Context::write(Record record, std::uint64_t number) {
    if (auto* trace = meter_.trace()) trace->sign(record);
    {
        const auto timed = meter_.time(Stage::write);
        if (threads_) threads_->end();  // a reader may take its time
        output_->write(record, number);
        if (threads_) threads_->begin();
    }
    progress_->done();
}

void Context::pass_on(const Record& record) {
    if (output_) output_->write(record);
}

void Context::write_error(const Error& error, const std::string& id) {
    if (output_) output_->write_error(error, id);
}

void Context::add_history(Record& record) const {
    if (history_) lcm::add_history(record, tool_, arguments_, created_);
}

void Context::note_failure(const Error& error) {
    if (!first_failure_) first_failure_ = error.code();
    log_error(error);
}

void Context::fail(const Error& error) noexcept {
    if (output_) output_->fail(error);
    output_.reset();
}

}  // namespace lcm::cli
