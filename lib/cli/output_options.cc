#include "lib/cli/output_options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/cli/command.h"
#include "lib/cli/standard_streams.h"
#include "lib/metrics/counted_bytes.h"

namespace lcm::cli {
namespace {

Existing existing(const OutputOptions& options) {
    if (options.no_clobber) return Existing::keep;
    return options.if_changed ? Existing::keep_equal : Existing::replace;
}

}  // namespace

void OutputOptions::declare(CLI::App& app) {
    app.add_flag("-f,--force", force, "Write binary data even to a terminal")->group(group::io);
    app.add_flag("--no-clobber", no_clobber, "Refuse to replace an existing file")->group(group::io);
    app.add_flag("--if-changed", if_changed, "Leave a file and its time alone when its bytes would be the same")->group(group::io);
    app.add_flag("--timestamps", timestamps, "Write the time into the output; SOURCE_DATE_EPOCH rules it")->group(group::io);
    depfile.declare(app);
}

std::string OutputOptions::created() const { return timestamps ? iso_8601_utc(now_seconds()) : ""; }

void OutputOptions::check() {
    depfile.check(path);
    if (no_clobber && if_changed)
        throw Error(ExitCode::usage, "--if-changed", "and --no-clobber say different things of an existing file", "use one of them");
}

void OutputOptions::expect_possible() const {
    if (path == "-") return expect_binary_output(*this);
    namespace fs = std::filesystem;
    std::error_code ignored;
    const auto folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
    if (::access(folder.c_str(), W_OK) != 0) throw_errno(ExitCode::cannot_create, path, "cannot create");
    if (no_clobber && fs::exists(path, ignored))
        throw Error(ExitCode::cannot_create, path, "is already there", "give another name, or leave out --no-clobber");
}

void expect_binary_output(const OutputOptions& options) {
    if (options.path != "-") return;
    if (is_terminal(1) && !options.force)
        throw Error(ExitCode::usage, "standard output", "is a terminal and the data is binary", "add -o FILE or pipe to another tool");
    if (stdout_was_closed()) throw Error(ExitCode::io, "standard output", "is closed", "redirect it or add -o FILE");
}

std::unique_ptr<ByteSink> open_sink(const std::string& path, const OutputOptions& options) {
    if (path != "-") return counted(sink_to_file(path, existing(options)));
    expect_binary_output(options);
    return counted(sink_to_fd(1, "standard output", true));
}

}  // namespace lcm::cli
