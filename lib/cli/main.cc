#include "lib/cli/main.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <new>
#include <optional>
#include <span>
#include <string_view>

#include "lib/base/log.h"
#include "lib/base/stop.h"
#include "lib/base/text.h"
#include "lib/base/version.h"
#include "lib/cli/arguments.h"
#include "lib/cli/environment_name.h"
#include "lib/cli/flag_names.h"
#include "lib/cli/help.h"
#include "lib/cli/help_json.h"
#include "lib/cli/limit_options.h"
#include "lib/cli/settings.h"
#include "lib/cli/show_config.h"
#include "lib/cli/signals.h"
#include "lib/cli/standard_streams.h"
#include "lib/cli/time_limit.h"

namespace lcm::cli {

namespace {

/// One command with the parser that its flags live in.
struct Parsed {
    CLI::App* app = nullptr;
    Command* command = nullptr;
};

/// `--help-json`: answered whatever else stands on the command line, as `--help` is.
struct WantsTable {};

/// True when a word stands on the command line as a flag.
bool has_word(int argc, char** argv, std::string_view word) {
    const std::span words(argv, static_cast<std::size_t>(argc));
    const auto end = std::ranges::find(words, std::string_view("--"));
    return std::find(words.begin(), end, word) != end;
}

class Program {
public:
    Program(const ToolName& tool, Commands commands)
        : tool_(tool.name), commands_(std::move(commands)), app_(tool.summary, tool.name), context_(tool.name, common_) {
        app_.set_version_flag("--version", tool.name + " " + version(), "Show the version");
        app_.get_option("--version")->group(group::common);

        declare_commands();
    }

    /// The command line first, so that what it says is known; then again with what environment and configuration files add.
    void parse(int argc, char** argv) {
        if (has_word(argc, argv, "--help-json")) throw WantsTable();
        const auto words = prepare_arguments({argv + std::min(argc, 1), argv + argc}, [&](const auto& name) { return takes_value(name); });
        std::optional<CLI::RequiredError> missing;
        try {
            parse_words(words);
        } catch (const CLI::RequiredError& error) {
            missing = error;
        }
        const auto chosen = chosen_command();
        if (chosen.command != nullptr) settings_ = load_settings({tool_, chosen.command->name(), flags_of(*chosen.app), common_.config});
        std::erase_if(settings_, [&](const Setting& setting) { return is_overruled(*chosen.app->get_option("--" + setting.flag)); });
        const auto added = words_of_settings();
        if (added.empty() && missing) throw *missing;
        if (!added.empty()) parse_with(words, added, *chosen.app);
    }

    ExitCode run() {
        common_.apply(tool_);
        const auto chosen = chosen_command();
        if (common_.show_config) {
            print_config(*chosen.app, settings_, common_.json);
            close_stdout();
            return ExitCode::ok;
        }
        chosen.command->check();
        context_.start_progress(chosen.command->noun(), chosen.command->writes_data());
        common_.measure.apply(context_.meter());
        context_.set_arguments(generation_arguments(*chosen.app));
        for (const auto& setting : settings_) context_.dependencies().add(setting.origin.substr(0, setting.origin.rfind(':')));
        if (common_.dry_run) {
            if (const auto plan = chosen.command->plan(context_)) {
                print_plan(*plan, common_.json);
                close_stdout();
                return ExitCode::ok;
            }
        }
        const auto code = chosen.command->run(context_);
        close_stdout();
        common_.measure.finish(context_.meter(), code);
        return code;
    }

    /// A failed run is measured too; that this fails as well is no news.
    void measure_failed(ExitCode code) noexcept {
        try {
            common_.measure.finish(context_.meter(), code);
        } catch (...) {
        }
    }

    /// The subcommand that was reached, or the tool itself before any was.
    Parsed chosen_command() {
        Parsed root{&app_, nullptr};
        for (const auto& parsed : parsed_)
            if (parsed.app == &app_)
                root = parsed;
            else if (parsed.app->parsed() > 0)
                return parsed;
        return root;
    }

    /// Sends the cause on, even when the output was never opened: the tools behind must not guess why nothing came.
    void fail(const Error& error) noexcept {
        context_.fail(error);
        if (!any_writes_records() || context_.output_opened() || !is_pipe(1)) return;
        try {
            RecordWriter(sink_to_fd(1, "standard output", false)).fail(error, tool_);
        } catch (...) {
            // Without memory there is no writer; the exit code still tells.
        }
    }

    /// The flags of all commands (`--help-json`).
    std::string table() const {
        HelpTable table{tool_, version(), app_.get_description(), {}};
        if (!has_default_) table.commands.push_back({&app_, "", app_.get_description(), {}});
        for (const auto& [app, command] : parsed_)
            table.commands.push_back({app, command->name(), command->summary(), command->examples()});
        return help_json(table);
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

    /// A command without a name lives on the tool itself, beside those with one.
    void declare_commands() {
        std::vector<std::string> examples;
        for (const auto& command : commands_) {
            if (command->name().empty()) {
                has_default_ = true;
                declare(app_, *command);
            } else {
                declare(*app_.add_subcommand(command->name(), command->summary()), *command);
            }
            for (auto& example : command->examples()) examples.push_back(example);
        }
        app_.formatter(help_formatter(examples));
        if (has_default_) return;
        app_.set_help_flag("-h,--help", "Show this help")->group(group::common);
        app_.require_subcommand(1);
    }

    void parse_words(std::vector<std::string> words) {
        std::ranges::reverse(words);  // as CLI11 wants them
        app_.parse(std::move(words));
    }

    bool takes_value(const std::string& name) const {
        return std::ranges::any_of(parsed_, [&](const Parsed& parsed) {
            const auto* option = name.starts_with('-') ? parsed.app->get_option_no_throw(name) : nullptr;
            return option != nullptr && cli::takes_value(*option);
        });
    }

    /// Long names of the flags that can be set elsewhere than on the command line.
    static std::vector<std::string> flags_of(const CLI::App& app) {
        std::vector<std::string> flags;
        for (const auto* option : app.get_options())
            if (is_configurable(*option)) flags.push_back(option->get_lnames().front());
        return flags;
    }

    /// True when the command line gives the flag, or one that rules it out.
    static bool is_overruled(const CLI::Option& option) {
        return option.count() > 0 || std::ranges::any_of(option.get_excludes(), [](const auto* other) { return other->count() > 0; });
    }

    std::vector<std::string> words_of_settings() const {
        std::vector<std::string> words;
        for (const auto& setting : settings_)
            for (const auto& value : setting.values) words.push_back(fmt::format("--{}={}", setting.flag, value));
        return words;
    }

    void parse_with(std::vector<std::string> words, const std::vector<std::string>& added, const CLI::App& chosen) {
        const auto name = &chosen == &app_ ? words.end() : std::ranges::find(words, chosen.get_name());
        words.insert(name == words.end() ? words.begin() : name + 1, added.begin(), added.end());
        try {
            parse_words(words);
        } catch (const CLI::RequiredError&) {
            throw;
        } catch (const CLI::ParseError& error) {
            throw Error(ExitCode::config, origin_of(error.what()), error.what(), "correct it there, or leave it out with --config none");
        }
    }

    /// Where the setting stands that a message of the parser names.
    std::string origin_of(const std::string& message) const {
        for (const auto& setting : settings_)
            if (message.find("--" + setting.flag) != std::string::npos) return setting.origin;
        return "configuration";
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
    bool has_default_ = false;  // a command without a name
    std::vector<Setting> settings_;
};

ExitCode report(Program& program, const Error& error) {
    std::fflush(stdout);
    log_error(error);
    program.fail(error);
    program.measure_failed(error.code());
    const auto first = program.context().result();
    return first == ExitCode::ok ? error.code() : first;
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
    if (signal == time_is_over)
        return report(program, Error(ExitCode::refused, "--limit", "the time is over", "allow more, or ask for less"));
    const Error error(ExitCode::try_again, "", fmt::format("stopped by signal {}", signal), "run it again");
    const bool saved = program.context().has_saved();
    program.fail(error);
    if (signal == SIGINT || !saved) die_by_signal(signal);
    log_error(Error(error.code(), "", error.fault()));
    program.measure_failed(error.code());
    return error.code();
}

ExitCode out_of_memory(Program& program) {
    lift_memory_limit();
    return report(program, Error(ExitCode::system, "", "out of memory", "ask for less at once"));
}

ExitCode parse_and_run(Program& program, int argc, char** argv) {
    try {
        program.parse(argc, argv);
        return program.run();
    } catch (const CLI::Success& success) {  // --help, --version
        program.app().exit(success);
        close_stdout();
        return ExitCode::ok;
    } catch (const WantsTable&) {
        std::fputs(program.table().c_str(), stdout);
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
        return out_of_memory(program);
    } catch (const std::exception& error) {
        // libtorch puts a C++ backtrace after the first line, and has no type of its own for the lack of memory.
        const std::string text = error.what();
        for (const char* lack : {"can't allocate memory", "CUDA out of memory"})
            if (text.find(lack) != std::string::npos) return out_of_memory(program);
        return report(program, Error(ExitCode::software, "", "internal error: " + text.substr(0, text.find('\n')), "please report it"));
    }
}

}  // namespace

int run_main(int argc, char** argv, const ToolName& tool, Commands commands) {
    guard_standard_streams();
    LogSettings log;
    log.tool = tool.name;
    log.json_errors = has_word(argc, argv, "--json");  // the flags may be wrong themselves
    set_log(log);
    install_signal_handlers(tool.name);
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
