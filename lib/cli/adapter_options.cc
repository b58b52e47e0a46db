#include "lib/cli/adapter_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cli/adapter_path.h"
#include "lib/cli/command.h"
#include "lib/core/adapter/adapter_file.h"
#include "lib/core/adapter/block_weights.h"
#include "lib/core/adapter/dora.h"

namespace lcm::cli {
namespace {

constexpr const char* lora_kind_name = "lora";

}  // namespace

AdapterRequest parse_adapter(const std::string& text, const std::string& where) {
    const auto colon = text.rfind(':');
    AdapterRequest request{text};
    if (colon != std::string::npos && colon + 1 < text.size() && text.find('/', colon) == std::string::npos) {
        const auto weight = parse_number(text.substr(colon + 1));
        if (!weight)
            throw Error(ExitCode::usage, where, fmt::format("\"{}\" ends in no weight", escape_control(text)),
                        "write FILE, or FILE:WEIGHT with a number such as 0.8");
        request = {text.substr(0, colon), *weight};
    }
    if (!request.name.empty() && request.name.back() != ':') return request;
    throw Error(ExitCode::usage, where, fmt::format("\"{}\" names no adapter", escape_control(text)), "write FILE or FILE:WEIGHT");
}

void AdapterOptions::declare(CLI::App& app, bool runs_unet) {
    app.add_option("--lora", loras,
                   "Adapter of the LoRA family: a safetensors file, a PEFT folder or an installed name; FILE:0.8 gives its weight, else 1")
        ->type_name("FILE")
        ->allow_extra_args(false)
        ->group(group::generation);
    app.add_option("--blocks", blocks, "Weights of blocks for every --lora: down:1,mid:0.5,up.2:0,text:0; else 1")
        ->type_name("LIST")
        ->group(group::generation);
    app.add_option("--dora-rule", rule, "What a DoRA means at other weights than 1: auto, linear, lycoris or peft")
        ->check(CLI::IsMember({"auto", "linear", "lycoris", "peft"}))
        ->type_name("NAME")
        ->group(group::generation);
    app.add_flag("--allow-unused", allow_unused, "Go on when an adapter holds tensors that the model has no use for")
        ->group(group::generation);
    if (!runs_unet) return;
    app.add_option("--lora-mode", mode, "merge: into the weights; runtime: beside them, equal to 1e-5, without a copy of the weights")
        ->transform(
            CLI::CheckedTransformer(std::map<std::string, AdapterMode>{{"merge", AdapterMode::merge}, {"runtime", AdapterMode::runtime}}))
        ->type_name("MODE")
        ->group(group::generation);
}

void AdapterOptions::check() const {
    for (const auto& lora : loras) parse_adapter(lora, "--lora");
    try {
        BlockWeights::parse(blocks);
    } catch (const Error& error) {
        throw Error(ExitCode::usage, "--blocks", error.fault(), error.fix());
    }
}

AdapterEntry AdapterOptions::entry_of(const AdapterRequest& request, const std::string& file) const {
    AdapterEntry entry;
    entry.id = std::filesystem::path(request.name).stem().string();
    if (entry.id.empty()) entry.id = request.name;
    entry.kind = lora_kind_name;
    entry.sha256 = adapter_sha256(file);
    entry.weight = request.weight;
    entry.blocks = blocks;
    entry.file = file;
    if (rule != name(DoraRule::automatic)) entry.rule = rule;
    return entry;
}

std::vector<AdapterEntry> AdapterOptions::entries() const {
    std::vector<AdapterEntry> entries;
    for (const auto& lora : loras) {
        const auto request = parse_adapter(lora, "--lora");
        entries.push_back(entry_of(request, find_adapter(request.name)));
    }
    return entries;
}

}  // namespace lcm::cli
