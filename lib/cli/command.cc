#include "lib/cli/command.h"

namespace lcm::cli {

RecordWriter& Context::open_output(const RecordOutputOptions& options) {
    opened_ = true;
    at_once_ = options.path == "-";
    history_ = !options.no_history;
    output_ = std::make_unique<RecordWriter>(open_sink(options.path, options.force, options.no_clobber));
    return *output_;
}

void Context::write(RecordWriter& output, const Record& record) {
    output.write(record);
    if (at_once_) count_saved();
}

void Context::add_history(Record& record) const {
    if (history_) lcm::add_history(record, tool_, arguments_);
}

void Context::fail(const Error& error) noexcept {
    if (output_) output_->fail(error, tool_);
    output_.reset();
}

}  // namespace lcm::cli
