#include "lib/cli/info_options.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "lib/base/file.h"
#include "lib/cli/command.h"
#include "lib/cli/record_io.h"
#include "lib/render/picture_info.h"
#include "lib/stream/check.h"

namespace lcm::cli {

namespace {

void print_text(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

}  // namespace

void InfoOptions::declare(CLI::App& app) {
    app.add_flag("--info", info, "Tell what pictures or record streams hold, and render nothing")->group(group::report);
    app.add_flag("--check", check, "Prove that record streams are whole: headers, numbers and end mark")->group(group::report);
    app.add_flag("--full", full, "With --check: every checksum and value too")->group(group::report);
    app.add_flag("--index", index, "Write FILE.lcmi, a JSON line for each record: offset, length, checksum, id, seed")
        ->group(group::report);
}

void InfoOptions::check_flags() const {
    if (info + check + index > 1)
        throw Error(ExitCode::usage, check ? "--check" : "--index", "is a report of its own", "ask for one report at a time");
    if (full && !check) throw Error(ExitCode::usage, "--full", "is about --check", "add --check");
}

ExitCode InfoOptions::print(const std::vector<std::string>& files, bool json) const {
    for (const auto& file : files.empty() ? std::vector<std::string>{"-"} : files) {
        if (check) {
            print_check(file, json);
        } else if (index) {
            write_index(file);
        } else {
            const auto found = read_file_info(open_source(file));
            print_text(json ? info_json(found) : info_text(found));
        }
    }
    return ExitCode::ok;
}

void InfoOptions::print_check(const std::string& file, bool json) const {
    const auto report = check_stream(open_source(file), full);
    print_text(json ? check_json(report) : check_text(report));
}

void InfoOptions::write_index(const std::string& file) const {
    if (file == "-") {
        check_stream(open_source(file), false, [](const RecordPlace& place) { print_text(index_line(place)); });
        return;
    }
    const auto sink = sink_to_file(file + ".lcmi");
    check_stream(open_source(file), false, [&](const RecordPlace& place) { sink->write(as_bytes(index_line(place))); });
    sink->finish();
}

}  // namespace lcm::cli
