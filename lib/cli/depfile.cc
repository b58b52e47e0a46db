#include "lib/cli/depfile.h"

#include <CLI/CLI.hpp>
#include <filesystem>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/cli/command.h"

namespace lcm::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* make_group = "Make and ninja";

}  // namespace

void DepfileOptions::declare(CLI::App& app) {
    app.add_flag("--MD", wanted, "Write a dependency file: model, input, prompt and configuration files the output was made from")
        ->group(make_group);
    app.add_option("--MF", path, "Name of the dependency file; else that of the output with .d")->type_name("FILE")->group(make_group);
    app.add_option("--MT", target, "Target in the dependency file; else the output")->type_name("TARGET")->group(make_group);
}

void DepfileOptions::check(const std::string& output) {
    if (!wanted && (!path.empty() || !target.empty()))
        throw Error(ExitCode::usage, path.empty() ? "-MT" : "-MF", "is about a dependency file", "add -MD");
    if (wanted && output == "-" && (path.empty() || target.empty()))
        throw Error(ExitCode::usage, "-MD", "needs a name for what goes to stdout", "add -MF FILE and -MT TARGET, or -o FILE");
    if (path.empty()) path = output + ".d";
    if (target.empty()) target = output;
}

void Dependencies::add(const std::string& path) {
    std::error_code ignored;
    if (path != "-" && fs::is_regular_file(path, ignored)) files_.insert(fs::path(path).lexically_normal().string());
}

void Dependencies::add_model(const std::string& folder) {
    add(folder);  // a checkpoint is one file
    std::error_code ignored;
    for (fs::recursive_directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
        const auto ending = entry->path().extension();
        if (ending == ".json" || ending == ".safetensors" || ending == ".h5" || ending == ".txt") add(entry->path());
    }
}

std::string escape_for_make(const std::string& name) {
    std::string escaped;
    for (const char sign : name) {
        if (sign == ' ' || sign == '#') escaped += '\\';
        if (sign == '$') escaped += '$';
        escaped += sign;
    }
    return escaped;
}

void Dependencies::write(const DepfileOptions& options) const {
    if (!options.wanted) return;
    std::string text = escape_for_make(options.target) + ":";
    for (const auto& file : files_) text += " \\\n  " + escape_for_make(file);
    text += "\n";
    for (const auto& file : files_) text += escape_for_make(file) + ":\n";
    const auto sink = sink_to_file(options.path, Existing::keep_equal);
    sink->write(as_bytes(text));
    sink->finish();
}

}  // namespace lcm::cli
