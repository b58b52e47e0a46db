#include "lib/cli/record_io.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <utility>

#include "lib/base/text.h"
#include "lib/cli/command.h"
#include "lib/cli/standard_streams.h"
#include "lib/metrics/counted_bytes.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* checks_group = "Checks of the input";
constexpr std::string_view kind_prefix = "kind=";

/// The file beside `path` whose name is nearest to it; empty when none is near.
std::string near_file(const fs::path& path) {
    constexpr std::size_t most_names = 10'000;
    std::vector<std::string> names;
    std::error_code ignored;
    const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    for (fs::directory_iterator entry(folder, ignored), end; entry != end && names.size() < most_names; entry.increment(ignored))
        names.push_back(entry->path().filename());
    const auto near = nearest(path.filename().string(), names);
    return near.empty() ? "" : (path.parent_path() / near).string();
}

}  // namespace

void RecordInputOptions::declare(CLI::App& app, bool operands) {
    constexpr const char* help = "Record streams to read, in order; - is stdin";
    app.add_option("-i,--input", files, help)->type_name("FILE")->allow_extra_args(false)->group(group::io);
    if (operands) app.add_option("FILE", files, help)->type_name("")->excludes("--input");
    app.add_option("--nan", nan_, "NaN and infinity in known tensors: error or pass")
        ->check(CLI::IsMember({"error", "pass"}))
        ->type_name("RULE")
        ->capture_default_str()
        ->group(checks_group);
    app.add_flag("!--no-verify", reading.verify, "Do not compare checksums")->group(checks_group);
    app.add_option("--assume", assume_, "Take plain safetensors for records of a kind: kind=latent, cond, noise or image")
        ->type_name("kind=KIND")
        ->group(checks_group);
}

void RecordInputOptions::declare_from(CLI::App& app) {
    app.add_option("--from", from_, "Format of the input: lcms, or comfy for the .latent files of ComfyUI")
        ->check(CLI::IsMember({"lcms", comfy_format}))
        ->type_name("FORMAT")
        ->capture_default_str()
        ->group(checks_group);
}

void RecordInputOptions::check() {
    reading.nan_pass = nan_ == "pass";
    if (from_ == comfy_format) reading.from_comfy = true;
    if (assume_.empty()) return;
    const std::string_view text = assume_;
    reading.assume_kind = text.starts_with(kind_prefix) ? text.substr(kind_prefix.size()) : text;
    for (const auto known : {kind::latent, kind::cond, kind::noise, kind::image})
        if (reading.assume_kind == known) return;
    throw Error(ExitCode::usage, "--assume", fmt::format("\"{}\" is no kind of record", escape_control(assume_)),
                "write kind=latent, kind=cond, kind=noise or kind=image");
}

RecordInput::RecordInput(const RecordInputOptions& options) : names_(options.files), reading_(options.reading) {
    if (names_.empty()) names_.push_back("-");
    // Of several files the first may fail as any other one: `next` tells it.
    if (names_.size() == 1 || names_.front() == "-") open_next();
}

void RecordInput::open_next() { reader_ = std::make_unique<RecordReader>(open_source(names_[position_++]), reading_); }

std::optional<Record> RecordInput::next() {
    for (;;) {
        if (!reader_) open_next();
        auto reader = std::exchange(reader_, nullptr);  // a faulty input is not read on
        if (auto record = reader->next()) {
            reader_ = std::move(reader);
            return record;
        }
        if (position_ == names_.size()) return std::nullopt;
    }
}

std::unique_ptr<ByteSource> open_source(const std::string& path) {
    if (path == "-") {
        if (is_terminal(0)) throw TerminalInput();
        return counted(source_from_fd(0, std::string(standard_input_name), false));
    }
    std::error_code ignored;
    if (!fs::exists(path, ignored))
        if (const auto near = near_file(path); !near.empty())
            throw Error(ExitCode::no_input, escape_control(path), "cannot open: No such file or directory",
                        fmt::format("did you mean {}?", near));
    return counted(source_from_file(path));
}

}  // namespace lcm::cli
