#include "lib/cli/limit_options.h"

#include <fmt/format.h>

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"
#include "lib/cli/time_limit.h"

namespace lcm::cli {
namespace {

constexpr const char* system_policy = "/etc/lcm/policy.toml";
constexpr const char* user_policy = "LCM_POLICY";
constexpr std::uint64_t largest_file = 1 << 20;
const std::vector<std::string> names{"memory", "pixels", "record", "time"};

[[noreturn]] void refuse_file(const std::string& path, const toml::source_region& at, const std::string& what) {
    throw Error(ExitCode::config, fmt::format("{}:{}", path, at.begin.line), what, "write amounts as in [limits] memory = \"4GiB\"");
}

void lower(std::uint64_t& ceiling, std::uint64_t value) {
    if (ceiling == 0 || value < ceiling) ceiling = value;
}

void read_policy(const std::string& path, Limits& ceilings) {
    try {
        const toml::table root = toml::parse(read_text_file(path, largest_file), path);
        for (const auto& [key, node] : root)
            if (key.str() != "limits" || !node.is_table()) refuse_file(path, node.source(), fmt::format("unknown key \"{}\"", key.str()));
        const auto* table = root["limits"].as_table();
        if (table == nullptr) return;
        for (const auto& [key, node] : *table) {
            auto* ceiling = ceilings.find(key.str());
            const auto amount = node.value_exact<std::string>();
            if (ceiling == nullptr) refuse_file(path, node.source(), fmt::format("unknown limit \"{}\"", key.str()));
            if (!amount) refuse_file(path, node.source(), fmt::format("limit \"{}\" is no string", key.str()));
            lower(*ceiling, parse_limit(key.str(), *amount, path));
        }
    } catch (const toml::parse_error& error) {
        refuse_file(path, error.source(), std::string(error.description()));
    } catch (const Error& error) {
        if (error.code() == ExitCode::config) throw;
        throw Error(ExitCode::config, error.where(), error.fault(), error.fix());
    }
}

/// Memory of its own: what libtorch and the weights map from files does not count.
void limit_memory(std::uint64_t bytes) {
    if (bytes == 0) return;
    rlimit limit{};
    const bool known = ::getrlimit(RLIMIT_DATA, &limit) == 0;
    limit.rlim_cur = std::min<rlim_t>(bytes, limit.rlim_max);
    if (!known || ::setrlimit(RLIMIT_DATA, &limit) != 0) throw_errno(ExitCode::system, "--limit memory", "cannot be set");
}

}  // namespace

void LimitOptions::declare(CLI::App& app) {
    app.add_option("--limit", wanted, "Most to take, with commas: memory=4GiB, pixels=64MP a picture, record=1GiB, time=10m")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("NAME=AMOUNT,...")
        ->group(group::common);
}

void lift_memory_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_DATA, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_DATA, &limit);
}

Limits read_policies(const std::vector<std::string>& files) {
    Limits ceilings{.memory = 0, .pixels = 0, .record = 0, .seconds = 0};
    for (const auto& file : files) read_policy(file, ceilings);
    return ceilings;
}

Limits tightened(const Limits& ceilings, const std::vector<std::string>& wanted) {
    Limits result;
    auto allowed = ceilings;
    for (const auto& name : names)
        if (const auto ceiling = *allowed.find(name); ceiling != 0) lower(*result.find(name), ceiling);
    for (const auto& text : wanted) {
        const auto equals = text.find('=');
        const auto name = text.substr(0, equals);
        auto* limit = equals == std::string::npos ? nullptr : result.find(name);
        if (limit == nullptr) {
            const auto near = nearest(name, names);
            throw Error(ExitCode::usage, "--limit", fmt::format("\"{}\" is no limit", escape_control(text)),
                        near.empty() ? "write memory=4GiB, pixels=64MP, record=1GiB or time=10m" : fmt::format("did you mean {}?", near));
        }
        const auto amount = parse_limit(name, std::string_view(text).substr(equals + 1), "--limit");
        const auto ceiling = *allowed.find(name);
        if (ceiling != 0 && amount > ceiling)
            throw Error(ExitCode::refused, "--limit", fmt::format("{} is above the policy's {}", text, ceiling), "ask for less");
        *limit = amount;
    }
    result.record_by_policy = ceilings.record != 0 && result.record == ceilings.record;  // also where a flag asked for just that
    return result;
}

void LimitOptions::apply() const {
    std::vector<std::string> files;
    std::error_code ignored;
    if (std::filesystem::exists(system_policy, ignored)) files.push_back(system_policy);
    if (const char* own = std::getenv(user_policy); own != nullptr && own[0] != '\0') files.push_back(own);
    set_limits(tightened(read_policies(files), wanted));
    limit_memory(limits().memory);
    if (limits().seconds != 0) end_after(limits().seconds);
}

}  // namespace lcm::cli
