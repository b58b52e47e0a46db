#include "lib/style/adapter_report.h"

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

namespace lcm {
namespace {

constexpr const char* families[] = {"sd15", "sdxl"};
constexpr std::size_t shown_unused = 10;

AdapterReport report_of(const AdapterFile& file, const std::string& sha256, const std::string& family) {
    AdapterReport report;
    report.file = file.path;
    report.sha256 = sha256;
    report.family = family;
    report.unused = file.unused;
    std::map<std::pair<Network, std::string>, AdapterBlock> blocks;
    for (const AdapterChange& change : file.changes) {
        const std::string network(name(change.module.network));
        ++report.formats[std::string(change.format)];
        ++report.targets[network];
        report.ranks.insert(change.delta->rank());
        if (change.alpha) report.alphas.insert(*change.alpha);
        report.dora = report.dora || change.dora.has_value();
        AdapterBlock& block =
            blocks
                .try_emplace({change.module.network, block_of(change.module.module)}, AdapterBlock{network, block_of(change.module.module)})
                .first->second;
        ++block.changes;
        const double norm = change.delta->compute(1).norm().item<double>();
        block.norm += norm * norm;
    }
    for (auto& [key, block] : blocks) {
        block.norm = std::sqrt(block.norm);
        report.blocks.push_back(std::move(block));
    }
    return report;
}

AdapterFile expect_adapter(AdapterFile file) {
    if (!file.changes.empty()) return file;
    throw Error(ExitCode::data, file.path, "holds no tensor that an adapter has", "name a LoRA file, or the model it belongs to with -m");
}

template <typename Values, typename Text>
std::string list(const Values& values, const Text& text) {
    std::vector<std::string> words;
    for (const auto& value : values) words.push_back(text(value));
    return fmt::format("{}", fmt::join(words, ", "));
}

std::string counted(const std::pair<const std::string, std::uint64_t>& entry) { return fmt::format("{} ({})", entry.first, entry.second); }

Json json_counts(const std::map<std::string, std::uint64_t>& counts) {
    Json::Object object;
    for (const auto& [name, count] : counts) object.emplace(name, Json(static_cast<std::int64_t>(count), ""));
    return Json(std::move(object), "");
}

template <typename Values>
Json json_list(const Values& values) {
    Json::Array array;
    for (const auto& value : values) array.emplace_back(value, "");
    return Json(std::move(array), "");
}

}  // namespace

AdapterReport report_adapter(const std::string& path, const std::string& sha256) {
    std::optional<AdapterFile> best;
    std::string family;
    for (const char* arch : families) {
        AdapterFile file = open_adapter_file(path, ModuleNames(published_parameters(arch)));
        if (best && file.unused.size() >= best->unused.size()) continue;
        best = std::move(file);
        family = arch;
    }
    return report_of(expect_adapter(*std::move(best)), sha256, family);
}

AdapterReport report_adapter(const std::string& path, const std::string& sha256, const std::string& family, const ModelParameters& model) {
    const AdapterFile file = expect_adapter(open_adapter_file(path, ModuleNames(model)));
    expect_made_for(file, model, /*allow_unused=*/true);
    return report_of(file, sha256, family);
}

std::string adapter_report_text(const AdapterReport& report) {
    const std::string alphas = list(report.alphas, format_number);
    std::string text = fmt::format("file     {}\nsha256   {}\nfamily   {}\nformat   {}{}\ntargets  {}\nrank     {}\nalpha    {}\n",
                                   escape_control(report.file), report.sha256, escape_control(report.family), list(report.formats, counted),
                                   report.dora ? ", DoRA" : "", list(report.targets, counted), fmt::join(report.ranks, ", "),
                                   alphas.empty() ? "the rank" : alphas);
    text += fmt::format("\n{:<16}{:<20}{:>8}{:>12}\n", "network", "block", "changes", "norm");
    for (const AdapterBlock& block : report.blocks)
        text += fmt::format("{:<16}{:<20}{:>8}{:>12.4g}\n", block.network, block.block, block.changes, block.norm);
    if (report.unused.empty()) return text;
    text += fmt::format("\n{} tensors that no module answers to:\n", report.unused.size());
    for (std::size_t i = 0; i < std::min(shown_unused, report.unused.size()); ++i)
        text += fmt::format("  {}\n", escape_control(report.unused[i]));
    return text;
}

std::string adapter_report_json(const AdapterReport& report) {
    Json::Array blocks;
    for (const AdapterBlock& block : report.blocks)
        blocks.emplace_back(Json::Object{{"network", Json(block.network, "")},
                                         {"block", Json(block.block, "")},
                                         {"changes", Json(static_cast<std::int64_t>(block.changes), "")},
                                         {"norm", Json(block.norm, "")}},
                            "");
    return to_json(Json(Json::Object{{"file", Json(report.file, "")},
                                     {"sha256", Json(report.sha256, "")},
                                     {"family", Json(report.family, "")},
                                     {"formats", json_counts(report.formats)},
                                     {"targets", json_counts(report.targets)},
                                     {"ranks", json_list(report.ranks)},
                                     {"alphas", json_list(report.alphas)},
                                     {"dora", Json(report.dora, "")},
                                     {"blocks", Json(std::move(blocks), "")},
                                     {"unused", json_list(report.unused)}},
                        "")) +
           "\n";
}

}  // namespace lcm
