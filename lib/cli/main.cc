#include "lib/cli/main.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <new>

#include "lib/base/log.h"
#include "lib/base/stop.h"
#include "lib/base/text.h"
#include "lib/base/version.h"
#include "lib/cli/help.h"
#include "lib/cli/signals.h"
#include "lib/cli/standard_streams.h"

namespace lcm::cli {

namespace {

/// One command with the parser that its flags live in.
struct Parsed {
    CLI::App* app = nullptr;
    Command* command = nullptr;
};

class Program {
public:
    Program(const std::string& tool, Commands commands)
        : tool_(tool), commands_(std::move(commands)), app_("", tool), context_(tool, common_) {
        app_.set_version_flag("--version", tool + " " + version());
        app_.get_option("--version")->group(group::common);
        const bool single = commands_.size() == 1 && commands_.front()->name().empty();
        if (single)
            declare(app_, *commands_.front());
        else
            declare_subcommands();
    }

    void parse(int argc, char** argv) {
        std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
        split_empty_values(arguments);
        std::ranges::reverse(arguments);  // as CLI11 wants them
        app_.parse(std::move(arguments));
    }

    ExitCode run() {
        common_.apply(tool_);
        const auto chosen = chosen_command();
        chosen.command->check();
        context_.set_arguments(generation_arguments(*chosen.app));
        const auto code = chosen.command->run(context_);
        close_stdout();
        return code;
    }

    /// The subcommand that was reached, or the tool itself before any was.
    Parsed chosen_command() {
        for (const auto& parsed : parsed_)
            if (parsed.app == &app_ || parsed.app->parsed()) return parsed;
        return {&app_, nullptr};
    }

    /// Sends the cause on, even when the output was never opened: the tools behind must not guess why nothing came.
    void fail(const Error& error) noexcept {
        context_.fail(error);
        if (any_writes_records() && !context_.output_opened() && is_pipe(1))
            RecordWriter(sink_to_fd(1, "standard output", false)).fail(error, tool_);
    }

    CLI::App& app() { return app_; }
    Context& context() { return context_; }

    /// The flag nearest to `word`, for a misspelt one.
    std::string near_miss(const std::string& word) {
        std::vector<std::string> names;
        for (const auto* option : chosen_command().app->get_options())
            for (const auto& name : option->get_lnames()) names.push_back("--" + name);
        return nearest(word.substr(0, word.find('=')), names);
    }

private:
    void declare(CLI::App& app, Command& command) {
        app.description(command.summary());
        app.formatter(help_formatter(command.examples()));
        app.set_help_flag("-h,--help", "Show this help")->group(group::common);
        app.option_defaults()->always_capture_default(false);
        command.declare(app);
        common_.declare(app);
        parsed_.push_back({&app, &command});
    }

    void declare_subcommands() {
        std::vector<std::string> examples;
        for (const auto& command : commands_) {
            auto* app = app_.add_subcommand(command->name(), command->summary());
            declare(*app, *command);
            for (auto& example : command->examples()) examples.push_back(example);
        }
        app_.set_help_flag("-h,--help", "Show this help")->group(group::common);
        app_.formatter(help_formatter(examples));
        app_.require_subcommand(1);
    }

    /// `--prompt=` becomes `--prompt` and an empty word: CLI11 would take the next argument for its value.
    void split_empty_values(std::vector<std::string>& arguments) const {
        const auto takes_value = [&](const std::string& name) {
            return std::ranges::any_of(parsed_, [&](const Parsed& parsed) {
                const auto* option = parsed.app->get_option_no_throw(name);
                return option != nullptr && option->get_type_size() > 0;
            });
        };
        for (std::size_t at = 0; at < arguments.size() && arguments[at] != "--"; ++at) {
            const auto name = arguments[at].substr(0, arguments[at].size() - 1);
            if (!arguments[at].starts_with("--") || !arguments[at].ends_with("=") || !takes_value(name)) continue;
            arguments[at] = name;
            arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(++at), "");
        }
    }

    static std::vector<std::string> generation_arguments(const CLI::App& app) {
        std::vector<std::string> arguments;
        for (const auto* option : app.get_options()) {
            if (option->count() == 0 || option->get_group() != group::generation) continue;
            arguments.push_back(option->get_name());
            for (const auto& value : option->results()) arguments.push_back(value);
        }
        return arguments;
    }

    bool any_writes_records() const {
        for (const auto& command : commands_)
            if (command->writes_records()) return true;
        return false;
    }

    std::string tool_;
    Commands commands_;
    CLI::App app_;
    CommonOptions common_;
    Context context_;
    std::vector<Parsed> parsed_;
};

ExitCode report(Program& program, const Error& error) {
    std::fflush(stdout);
    const auto where = error.where().empty() ? "" : error.where() + ": ";
    log_error(where + error.fault());
    if (!error.fix().empty()) log_error("hint: " + error.fix());
    program.fail(error);
    return error.code();
}

Error usage_error(Program& program, const CLI::ParseError& parse_error) {
    std::string fix = "run with --help for the flags";
    if (const auto* extras = dynamic_cast<const CLI::ExtrasError*>(&parse_error)) {
        const auto word = std::string(extras->what()).substr(std::string(extras->what()).rfind(' ') + 1);
        const auto near = program.near_miss(word);
        if (!near.empty()) fix = "did you mean " + near + "?";
    }
    return Error(ExitCode::usage, "", parse_error.what(), fix);
}

ExitCode stopped(Program& program, int signal) {
    const Error error(ExitCode::try_again, "", fmt::format("stopped by signal {}", signal), "run it again");
    const bool saved = program.context().has_saved();
    program.fail(error);
    if (signal == SIGINT || !saved) die_by_signal(signal);
    log_error(error.fault());
    return error.code();
}

ExitCode parse_and_run(Program& program, int argc, char** argv) {
    try {
        program.parse(argc, argv);
        return program.run();
    } catch (const CLI::Success& success) {  // --help, --version
        program.app().exit(success);
        close_stdout();
        return ExitCode::ok;
    } catch (const CLI::ParseError& error) {
        return report(program, usage_error(program, error));
    } catch (const TerminalInput& error) {
        std::fputs(short_help(*program.chosen_command().app).c_str(), stderr);
        return report(program, error);
    } catch (const Error& error) {
        // Ctrl-C reaches all tools of a pipe: that the one before has ended is then no news.
        return stop_signal() == SIGINT ? stopped(program, SIGINT) : report(program, error);
    } catch (const Stopped& stop) {
        return stopped(program, stop.signal);
    } catch (const std::bad_alloc&) {
        return report(program, Error(ExitCode::system, "", "out of memory", "ask for less at once"));
    } catch (const std::exception& error) {
        // libtorch puts a C++ backtrace after the first line.
        const std::string text = error.what();
        return report(program, Error(ExitCode::software, "", "internal error: " + text.substr(0, text.find('\n')), "please report it"));
    }
}

}  // namespace

int run_main(int argc, char** argv, const std::string& tool, Commands commands) {
    guard_standard_streams();
    install_signal_handlers(tool);
    set_log(tool, LogLevel::warning);
    Program program(tool, std::move(commands));
    try {
        try {
            return static_cast<int>(parse_and_run(program, argc, argv));
        } catch (const Error& error) {  // --help onto a full disk
            return static_cast<int>(report(program, error));
        }
    } catch (const BrokenPipe&) {
        program.fail(Error(ExitCode::io, "", "broken pipe"));
        die_by_signal(SIGPIPE);
    }
}

}  // namespace lcm::cli
