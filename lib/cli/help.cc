#include "lib/cli/help.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "lib/cli/command.h"
#include "lib/cli/exit_codes.h"
#include "lib/cli/flag_names.h"

namespace lcm::cli {
namespace {

constexpr std::size_t column = 34, widest = 120;

/// "Exit codes:" with number and name of each, as many on a line as there is room for.
std::string exit_code_lines() {
    std::vector<std::string> cells;
    for (const auto& status : exit_codes()) cells.push_back(fmt::format("{} {}", status.code, status.name));
    std::vector<int> signals;
    for (const auto& status : signal_statuses()) signals.push_back(status.code);
    cells.push_back(fmt::format("{} died of a signal", fmt::join(signals, ", ")));

    std::string text = "Exit codes:", line;
    for (const auto& cell : cells) {
        if (!line.empty() && line.size() + cell.size() + 4 > widest) {
            text += "\n" + line;
            line.clear();
        }
        line += (line.empty() ? "  " : "    ") + cell;
    }
    return text + "\n" + line + "\n";
}

class ExamplesFirst : public CLI::Formatter {
public:
    explicit ExamplesFirst(std::vector<std::string> examples) : examples_(std::move(examples)) { column_width(column); }

    std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
        std::string text = make_description(app) + "\nExamples:\n";
        for (const auto& example : examples_) text += "  " + example + "\n";
        text += "\n" + make_usage(app, std::move(name)) + make_subcommands(app, mode) + make_positionals(app);
        return text + groups(*app) + "\n" + exit_code_lines();
    }

    /// The names as users write them: `-MD`, not `--MD`.
    std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
        return is_positional ? option->get_name(true) : fmt::format("{}", fmt::join(flag_names(*option), ","));
    }

    /// The placeholder and the default; ranges stand in the description.
    std::string make_option_opts(const CLI::Option* option) const override {
        if (!takes_value(*option)) return "";
        const auto type = option->get_type_name();
        const auto shown = " " + type.substr(0, type.find(':'));
        return option->get_default_str().empty() ? shown : shown + " (" + option->get_default_str() + ")";
    }

private:
    std::string groups(const CLI::App& app) const {
        std::string text;
        for (const auto& name : help_groups(app)) {
            const auto options =
                app.get_options([&](const CLI::Option* option) { return option->get_group() == name && option->nonpositional(); });
            if (!name.empty() && !options.empty()) text += make_group(name, false, options);
        }
        return text;
    }

    std::vector<std::string> examples_;
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter(std::vector<std::string> examples) {
    return std::make_shared<ExamplesFirst>(std::move(examples));
}

std::vector<std::string> help_groups(const CLI::App& app) {
    auto names = app.get_groups();
    std::ranges::stable_partition(names, [](const std::string& name) { return name != group::common; });
    return names;
}

std::string short_help(const CLI::App& app) {
    const auto* parent = app.get_parent();
    const auto name = parent != nullptr ? parent->get_name() + " " + app.get_name() : app.get_name();
    return fmt::format("{}\nRun `{} --help` for its flags and examples.\n", app.get_description(), name);
}

}  // namespace lcm::cli
