#include "lib/cli/help.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace lcm::cli {
namespace {

constexpr const char* exit_codes =
    "Exit codes:\n"
    "  0 ok    1 a check says no    64 usage    65 bad data    66 no input    69 unavailable    70 our bug    71 system\n"
    "  73 cannot create    74 I/O    75 stopped, try again    77 refused    78 configuration    130, 141, 143 died by a signal\n";

class ExamplesFirst : public CLI::Formatter {
public:
    explicit ExamplesFirst(std::vector<std::string> examples) : examples_(std::move(examples)) { column_width(34); }

    std::string make_usage(const CLI::App* app, std::string name) const override {
        std::string text = "Examples:\n";
        for (const auto& example : examples_) text += "  " + example + "\n";
        return text + CLI::Formatter::make_usage(app, std::move(name));
    }

    std::string make_footer(const CLI::App*) const override { return exit_codes; }

private:
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
