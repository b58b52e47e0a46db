#include "lib/cli/settings.h"

#include <fmt/format.h>

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cli/environment_name.h"

namespace lcm::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t largest_file = 1 << 20;
const std::vector<std::string> tool_tables{"lcm-encode", "lcm-optimize", "lcm-stylize", "lcm-denoise", "lcm-render"};

std::string place_of(const std::string& path, const toml::node& node) { return fmt::format("{}:{}", path, node.source().begin.line); }

std::string value_text(const toml::node& node, const std::string& place) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
    if (const auto whole = node.value_exact<std::int64_t>()) return std::to_string(*whole);
    if (const auto number = node.value_exact<double>()) return format_number(*number);
    throw Error(ExitCode::config, place, "is no value that a flag takes", "write a string, a number, true or false, or a list of those");
}

/// One file, collected for one tool.
class ConfigFile {
public:
    ConfigFile(std::string path, const SettingsQuery& query) : path_(std::move(path)), query_(query) {}

    std::vector<Setting> read() {
        const auto text = read_text_file(path_, largest_file);
        try {
            const toml::table root = toml::parse(text, path_);
            take_top(root);
        } catch (const toml::parse_error& error) {
            throw Error(ExitCode::config, fmt::format("{}:{}", path_, error.source().begin.line), std::string(error.description()),
                        "correct it, or leave the file out with --config none");
        }
        return std::move(settings_);
    }

private:
    void take_top(const toml::table& root) {
        for (const auto& [key, node] : root)
            if (!node.is_table()) take(std::string(key.str()), node, "or a table such as [lcm-denoise]");
        for (const auto& [key, node] : root) {
            const std::string name(key.str());
            if (!node.is_table()) continue;
            if (std::ranges::find(tool_tables, name) == tool_tables.end()) refuse(name, node, tool_tables, "write a tool's name");
            if (name == query_.tool) take_tool(*node.as_table());
        }
    }

    /// A tool's table; what it says of a subcommand comes last and so counts more.
    void take_tool(const toml::table& table) {
        for (const auto& [key, node] : table)
            if (!node.is_table()) take(std::string(key.str()), node, "run the tool with --help for its flags");
        const auto* command = query_.command.empty() ? nullptr : table.get_as<toml::table>(query_.command);
        if (command == nullptr) return;
        for (const auto& [key, node] : *command) take(std::string(key.str()), node, "run the subcommand with --help for its flags");
    }

    void take(const std::string& key, const toml::node& node, const char* fix) {
        if (std::ranges::find(query_.flags, key) == query_.flags.end()) refuse(key, node, query_.flags, fix);
        Setting setting{key, {}, place_of(path_, node)};
        if (const auto* list = node.as_array())
            for (const auto& element : *list) setting.values.push_back(value_text(element, setting.origin));
        else
            setting.values.push_back(value_text(node, setting.origin));
        std::erase_if(settings_, [&](const Setting& other) { return other.flag == key; });
        settings_.push_back(std::move(setting));
    }

    [[noreturn]] void refuse(const std::string& key, const toml::node& node, const std::vector<std::string>& known, const char* fix) const {
        const auto near = nearest(key, known);
        throw Error(ExitCode::config, place_of(path_, node),
                    fmt::format("unknown key \"{}\" for {}{}{}", escape_control(key), query_.tool, query_.command.empty() ? "" : " ",
                                query_.command),
                    near.empty() ? std::string("write the long name of a flag, ") + fix : fmt::format("did you mean {}?", near));
    }

    std::string path_;
    const SettingsQuery& query_;
    std::vector<Setting> settings_;
};

std::string user_file() {
    const char* config = std::getenv("XDG_CONFIG_HOME");
    if (config != nullptr && config[0] == '/') return std::string(config) + "/lcm/config.toml";
    const char* home = std::getenv("HOME");
    return home != nullptr && home[0] == '/' ? std::string(home) + "/.config/lcm/config.toml" : "";
}

std::vector<std::string> config_files(const std::string& wanted) {
    if (wanted == "none") return {};
    if (!wanted.empty()) return {wanted};
    std::vector<std::string> files{"lcm.toml", user_file(), "/etc/lcm/config.toml"};
    std::error_code ignored;
    std::erase_if(files, [&](const std::string& file) { return file.empty() || !fs::exists(file, ignored); });
    return files;
}

}  // namespace

std::vector<Setting> load_settings(const SettingsQuery& query) {
    std::vector<Setting> settings;
    const auto add = [&](Setting setting) {
        if (std::ranges::none_of(settings, [&](const Setting& known) { return known.flag == setting.flag; }))
            settings.push_back(std::move(setting));
    };
    for (const auto& flag : query.flags) {
        const auto name = environment_name(flag);
        const char* value = std::getenv(name.c_str());
        if (value != nullptr && value[0] != '\0') add({flag, {value}, name});
    }
    for (const auto& file : config_files(query.config))
        for (auto& setting : ConfigFile(file, query).read()) add(std::move(setting));
    return settings;
}

}  // namespace lcm::cli
