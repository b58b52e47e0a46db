#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/optimize/quantize.h"

namespace lcm {

namespace {

constexpr const char* place = "report";

Json json(Json::Value value) { return Json(std::move(value), place); }

Json layer_json(const LayerReport& layer) {
    return json(Json::Object{{"error", json(layer.error)}, {"module", json(layer.module)}, {"stays", json(layer.reason)}});
}

}  // namespace

std::string report_json(const QuantizeReport& report) {
    const std::string plain(name(report.plain));
    Json::Array layers;
    for (const LayerReport& layer : report.layers) layers.push_back(layer_json(layer));
    Json::Object errors{{"int8_f32", json(report.error_f32)}};
    if (report.plain != Precision::f32) {
        errors.insert_or_assign("int8_" + plain, json(report.error_plain));
        errors.insert_or_assign(plain + "_f32", json(report.plain_error_f32));
    }
    const auto count = [](std::uint64_t value) { return json(static_cast<std::int64_t>(value)); };
    const Json bytes = json(Json::Object{{"after", count(report.bytes_after)}, {"before", count(report.bytes_before)}});
    return to_json(json(Json::Object{{"bytes", bytes},
                                     {"latent_error", json(std::move(errors))},
                                     {"layers", json(std::move(layers))},
                                     {"model", json(report.model)},
                                     {"records", count(report.records)},
                                     {"steps", count(static_cast<std::uint64_t>(report.steps))}})) +
           "\n";
}

std::string report_text(const QuantizeReport& report) {
    const auto in_int8 = std::ranges::count(report.layers, std::string(), &LayerReport::reason);
    std::string text = fmt::format("{}\n", escape_control(report.model));
    text += fmt::format("  {:<28}  {} of {}\n", "products in int8", in_int8, report.layers.size());
    text += fmt::format("  {:<28}  {} of {}\n", "bytes of the UNet", report.bytes_after, report.bytes_before);
    text += fmt::format("  {:<28}  {:.5f}\n", fmt::format("error at {} steps to f32", report.steps), report.error_f32);
    if (report.plain != Precision::f32) {
        text += fmt::format("  {:<28}  {:.5f}\n", fmt::format("to {}", name(report.plain)), report.error_plain);
        text += fmt::format("  {:<28}  {:.5f}\n", fmt::format("of {} to f32", name(report.plain)), report.plain_error_f32);
    }
    for (const LayerReport& layer : report.layers)
        if (layer.reason == error_reason)
            text += fmt::format("  stays for its error {:.4f}    {}\n", layer.error, escape_control(layer.module));
    return text;
}

}  // namespace lcm
