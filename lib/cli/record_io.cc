#include "lib/cli/record_io.h"

#include <CLI/CLI.hpp>

#include "lib/base/file.h"
#include "lib/cli/command.h"
#include "lib/cli/standard_streams.h"

namespace lcm::cli {

void RecordInputOptions::declare(CLI::App& app, bool operands) {
    constexpr const char* help = "Record streams to read, in order; - is stdin";
    app.add_option("-i,--input", files, help)->type_name("FILE")->allow_extra_args(false)->group(group::io);
    if (operands) app.add_option("FILE", files, help)->type_name("")->excludes("--input");
}

RecordInput::RecordInput(const RecordInputOptions& options) : names_(options.files) {
    if (names_.empty()) names_.push_back("-");
    open_next();
}

void RecordInput::open_next() { reader_ = std::make_unique<RecordReader>(open_source(names_[position_++])); }

std::optional<Record> RecordInput::next() {
    for (;;) {
        if (auto record = reader_->next()) return record;
        if (position_ == names_.size()) return std::nullopt;
        open_next();
    }
}

void declare_overwrite(CLI::App& app, bool& force, bool& no_clobber) {
    app.add_flag("-f,--force", force, "Write binary data even to a terminal")->group(group::io);
    app.add_flag("--no-clobber", no_clobber, "Refuse to replace an existing file")->group(group::io);
}

void RecordOutputOptions::declare(CLI::App& app) {
    app.add_option("-o,--output", path, "File to write; - is stdout")->type_name("FILE")->capture_default_str()->group(group::io);
    declare_overwrite(app, force, no_clobber);
    app.add_flag("--no-history", no_history, "Leave this tool out of the history in the records")->group(group::io);
}

void expect_binary_output(const std::string& path, bool force) {
    if (path != "-") return;
    if (is_terminal(1) && !force)
        throw Error(ExitCode::usage, "standard output", "is a terminal and the data is binary", "add -o FILE or pipe to another tool");
    if (stdout_was_closed()) throw Error(ExitCode::io, "standard output", "is closed", "redirect it or add -o FILE");
}

std::unique_ptr<ByteSink> open_sink(const std::string& path, bool force, bool no_clobber) {
    expect_binary_output(path, force);
    if (path != "-") return sink_to_file(path, no_clobber ? Existing::keep : Existing::replace);
    return sink_to_fd(1, "standard output", true);
}

std::unique_ptr<ByteSource> open_source(const std::string& path) {
    if (path != "-") return source_from_file(path);
    if (is_terminal(0)) throw TerminalInput();
    return source_from_fd(0, std::string(standard_input_name), false);
}

}  // namespace lcm::cli
