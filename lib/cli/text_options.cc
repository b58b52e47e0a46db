#include "lib/cli/text_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"

namespace lcm::cli {
namespace {

constexpr int most_layers = 100;

const std::map<std::string, PromptSyntax> syntaxes{
    {"plain", PromptSyntax::plain}, {"a1111", PromptSyntax::a1111}, {"comfy", PromptSyntax::comfy}};

}  // namespace

std::optional<PromptSyntax> prompt_syntax(const std::string& name) {
    const auto found = syntaxes.find(name);
    return found == syntaxes.end() ? std::nullopt : std::optional(found->second);
}

void TextOptions::declare(CLI::App& app) {
    app.add_option("--prompt-syntax", syntax_,
                   "How weights are written in prompts: plain (not at all), a1111 or comfy; the last two take prompts of any length")
        ->check(CLI::IsMember(syntaxes))
        ->type_name("SYNTAX")
        ->group(group::generation);
    app.add_option("--clip-skip", clip_skip, "Layers of the text encoder to leave out, counted from 0; the negative prompt leaves out none")
        ->check(CLI::Range(0, most_layers))
        ->type_name("N")
        ->group(group::generation);
    app.add_option("--embedding", embeddings, "A word that stands for learned vectors, and their file (textual inversion)")
        ->allow_extra_args(false)
        ->type_name("NAME=FILE")
        ->group(group::generation);
}

void TextOptions::check() {
    for (const std::string& one : embeddings) {
        const std::size_t sign = one.find('=');
        if (sign != 0 && sign != one.npos && sign + 1 < one.size()) continue;
        throw Error(ExitCode::usage, "--embedding", fmt::format("\"{}\" is no NAME=FILE", escape_control(one)),
                    "write it like style=style.safetensors");
    }
}

std::vector<std::string> TextOptions::files() const {
    std::vector<std::string> files;
    for (const std::string& one : embeddings) files.push_back(one.substr(one.find('=') + 1));
    return files;
}

TextSettings TextOptions::settings(const Bundle& bundle) const {
    TextSettings settings{.syntax = syntaxes.at(syntax_), .clip_skip = clip_skip, .inversions = {}, .layers = {}};
    for (const std::string& one : embeddings) {
        const std::size_t sign = one.find('=');
        settings.inversions.push_back(read_textual_inversion(one.substr(0, sign), one.substr(sign + 1), bundle));
    }
    return settings;
}

}  // namespace lcm::cli
