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
    set_threads(common_.threads);
    meter_.set_threads(at::get_num_threads());
}

void Context::write(Record record, std::uint64_t number) {
    if (auto* trace = meter_.trace()) trace->sign(record);
    {
        const auto timed = meter_.time(Stage::write);
        output_->write(record, number);
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
