#include "lib/cli/record_output.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "lib/cli/command.h"
#include "lib/stream/comfy.h"
#include "lib/stream/reader.h"

namespace lcm::cli {

void RecordOutputOptions::declare(CLI::App& app) {
    app.add_option("-o,--output", path, "File to write; %04d, {seed} and {id} make one for each record; - is stdout")
        ->type_name("FILE")
        ->capture_default_str()
        ->group(group::io);
    OutputOptions::declare(app);
    app.add_flag("--no-history", no_history, "Leave this tool out of the history in the records")->group(group::io);
}

namespace {

/// True when every record of a file reads well.
bool is_whole(const std::string& path, bool comfy) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return false;
    try {
        RecordReader reader(source_from_file(path), {.from_comfy = comfy});
        while (reader.next()) {
        }
        return true;
    } catch (const Error&) {
        return false;  // broken: it is made again
    }
}

}  // namespace

bool RecordOutputOptions::is_there() const { return path != "-" && is_whole(path, to_comfy); }

RecordOutput::RecordOutput(const RecordOutputOptions& options, std::string tool, std::function<void()> saved)
    : options_(options), tool_(std::move(tool)), saved_(std::move(saved)), pattern_(options.path) {
    if (pattern_.takes_many()) return;
    expect_binary_output(options_);
    if (!options_.to_comfy) stream_ = std::make_unique<RecordWriter>(open_sink(pattern_.plain(), options_));
}

bool RecordOutput::has(const Record& record, std::uint64_t number) const {
    return pattern_.takes_many() && is_whole(pattern_.path(number, record), options_.to_comfy);
}

void RecordOutput::write(const Record& record, std::uint64_t number) {
    if (stream_) {
        stream_->write(record);
        if (options_.path == "-") saved_();
        return;
    }
    if (record.is_end() || record.is_error()) return;  // a file holds its own end, and a failed request has no file
    if (!pattern_.takes_many()) return kept_.push_back(record);
    auto alone = record;
    alone.final = true;
    write_file(pattern_.take(number, record), {&alone, 1});
}

void RecordOutput::write_error(const Error& error, const std::string& id) {
    if (stream_) stream_->write_error(error, tool_, id);
}

void RecordOutput::finish() {
    if (stream_) stream_->finish();
    if (!kept_.empty()) write_file(pattern_.plain(), kept_);
}

void RecordOutput::write_file(const std::string& path, std::span<const Record> records) {
    auto sink = open_sink(path, options_);
    if (options_.to_comfy) {
        write_comfy(*sink, records);
        sink->finish();
    } else {
        RecordWriter file(std::move(sink));
        for (const auto& record : records) file.write(record);
        file.finish();
    }
    saved_();
}

void RecordOutput::fail(const Error& error) noexcept {
    if (stream_) stream_->fail(error, tool_);
}

}  // namespace lcm::cli
