#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "lib/base/text.h"
#include "lib/optimize/inspect.h"

namespace lcm {

namespace {

/// Columns of the text table.
struct Row {
    std::string block, parameters, bytes, dtypes;
};

std::string dtype_names(const WeightCount& count) {
    std::vector<std::string> names;
    for (const auto& [dtype, parameters] : count.dtypes) names.push_back(dtype);
    return fmt::format("{}", fmt::join(names, " "));
}

Row row_of(const std::string& block, const WeightCount& count) {
    return {escape_control(block), std::to_string(count.parameters), std::to_string(count.bytes), dtype_names(count)};
}

/// A configuration value as people read it: strings without quotes.
std::string plain(const Json& value) { return escape_control(value.is_string() ? value.as_string() : to_json(value)); }

std::string facts_line(const Json::Object& facts) {
    std::vector<std::string> words;
    for (const auto& [key, value] : facts) words.push_back(fmt::format("{}={}", key, plain(value)));
    return fmt::format("{}", fmt::join(words, " "));
}

std::string table(const std::vector<Row>& rows) {
    std::size_t block = 0, parameters = 0, bytes = 0;
    for (const Row& row : rows) {
        block = std::max(block, row.block.size());
        parameters = std::max(parameters, row.parameters.size());
        bytes = std::max(bytes, row.bytes.size());
    }
    std::string text;
    for (const Row& row : rows)
        text += fmt::format("  {:<{}}  {:>{}}  {:>{}}  {}\n", row.block, block, row.parameters, parameters, row.bytes, bytes, row.dtypes);
    return text;
}

std::string part_text(const PartReport& part) {
    const std::string files = escape_control(fmt::format("{}", fmt::join(part.files, " ")));
    std::string text = fmt::format("\n{}  {}  {}\n", part.name, escape_control(part.class_name), files);
    for (const auto& [key, value] : part.facts) text += fmt::format("  {:<28}  {}\n", key, plain(value));
    std::vector<Row> rows{{"block", "parameters", "bytes", "dtypes"}};
    for (const BlockReport& block : part.blocks) rows.push_back(row_of(block.name, block.count));
    rows.push_back(row_of("total", part.count));
    return text + table(rows);
}

Json to_value(std::uint64_t number) { return Json(static_cast<std::int64_t>(number), ""); }
Json to_value(const std::string& text) { return Json(text, ""); }

Json to_value(const WeightCount& count) {
    Json::Object dtypes;
    for (const auto& [dtype, parameters] : count.dtypes) dtypes.emplace(dtype, to_value(parameters));
    return Json(
        Json::Object{{"bytes", to_value(count.bytes)}, {"dtypes", Json(std::move(dtypes), "")}, {"parameters", to_value(count.parameters)}},
        "");
}

Json to_value(const PartReport& part) {
    Json::Array files, blocks;
    for (const std::string& file : part.files) files.push_back(to_value(file));
    for (const BlockReport& block : part.blocks)
        blocks.emplace_back(Json::Object{{"count", to_value(block.count)}, {"name", to_value(block.name)}}, "");
    return Json(Json::Object{{"blocks", Json(std::move(blocks), "")},
                             {"class", to_value(part.class_name)},
                             {"config", Json(part.facts, "")},
                             {"count", to_value(part.count)},
                             {"files", Json(std::move(files), "")},
                             {"name", to_value(part.name)}},
                "");
}

}  // namespace

std::string report_text(const ModelReport& report) {
    std::string family = report.family.empty() ? "unknown (no UNet)" : report.family;
    if (report.full_lcm) family += ", full LCM: the UNet takes a guidance embedding";
    std::string text = fmt::format("model       {}\nfamily      {}\n", escape_control(report.model), family);
    if (!report.defaults.empty()) text += fmt::format("defaults    {}\n", facts_line(report.defaults));
    if (!report.scheduler.empty()) text += fmt::format("scheduler   {}\n", facts_line(report.scheduler));
    text += fmt::format("parameters  {} in {} bytes, {}\n", report.count.parameters, report.count.bytes, dtype_names(report.count));
    for (const PartReport& part : report.parts) text += part_text(part);
    return text;
}

std::string report_json(const ModelReport& report) {
    Json::Array parts;
    for (const PartReport& part : report.parts) parts.push_back(to_value(part));
    const Json::Object fields{{"count", to_value(report.count)},        {"defaults", Json(report.defaults, "")},
                              {"family", to_value(report.family)},      {"full_lcm", Json(report.full_lcm, "")},
                              {"model", to_value(report.model)},        {"parts", Json(std::move(parts), "")},
                              {"scheduler", Json(report.scheduler, "")}};
    return to_json(Json(fields, "")) + "\n";
}

}  // namespace lcm
