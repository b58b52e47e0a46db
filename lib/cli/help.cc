#include "lib/cli/help.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "lib/cli/command.h"

namespace lcm::cli {
namespace {

constexpr const char* exit_codes =
    "Exit codes:\n"
    "  0 ok    1 a check says no    64 usage    65 bad data    66 no input    69 unavailable    70 our bug    71 system\n"
    "  73 cannot create    74 I/O    75 stopped, try again    77 refused    78 configuration    130, 141, 143 died by a signal\n";

class ExamplesFirst : public CLI::Formatter {
public:
    explicit ExamplesFirst(std::vector<std::string> examples) : examples_(std::move(examples)) { column_width(34); }

    std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
        std::string text = make_description(app) + "\nExamples:\n";
        for (const auto& example : examples_) text += "  " + example + "\n";
        text += "\n" + make_usage(app, std::move(name)) + make_subcommands(app, mode) + make_positionals(app);
        return text + groups(*app) + "\n" + exit_codes;
    }

    /// The placeholder and the default; ranges stand in the description.
    std::string make_option_opts(const CLI::Option* option) const override {
        if (option->get_type_size() == 0) return "";
        const auto type = option->get_type_name();
        const auto shown = " " + type.substr(0, type.find(':'));
        return option->get_default_str().empty() ? shown : shown + " (" + option->get_default_str() + ")";
    }

private:
    /// The flags by group; those that every tool has come last.
    std::string groups(const CLI::App& app) const {
        auto names = app.get_groups();
        std::ranges::stable_partition(names, [](const std::string& name) { return name != group::common; });
        std::string text;
        for (const auto& name : names) {
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

std::string short_help(const CLI::App& app) {
    const auto* parent = app.get_parent();
    const auto name = parent != nullptr ? parent->get_name() + " " + app.get_name() : app.get_name();
    return fmt::format("{}\nRun `{} --help` for its flags and examples.\n", app.get_description(), name);
}

}  // namespace lcm::cli
