#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "lib/cli/command.h"

namespace lcm::cli {

/// A tool, and for one that is nothing without a subcommand what its commands have in common.
struct ToolName {
    ToolName(const char* tool_name) : name(tool_name) {}
    ToolName(std::string tool_name, std::string tool_summary) : name(std::move(tool_name)), summary(std::move(tool_summary)) {}

    std::string name, summary;
};

using Commands = std::vector<std::unique_ptr<Command>>;

/// Parses the command line, runs the chosen command and is the one place that catches: it prints `tool: where: what` and a hint, sends
/// the cause down the pipe, removes temporary files, handles signals and checks that stdout closed.
/// @return the exit code of cli-contract, section 3
int run_main(int argc, char** argv, const ToolName& tool, Commands commands);

/// `run_main` for a tool with the commands `C...`; the body of every tool's main. Ends the process there: returning would take libtorch's
/// thousands of operators apart one by one, which is a third of the time of a tool that only answers `--version`.
template <class... C>
[[noreturn]] void run_tool(int argc, char** argv, const ToolName& tool) {
    Commands commands;
    (commands.push_back(std::make_unique<C>()), ...);
    const int code = run_main(argc, argv, tool, std::move(commands));
    std::fflush(nullptr);
    std::_Exit(code);
}

}  // namespace lcm::cli
