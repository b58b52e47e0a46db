#include "lib/core/bundle/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "lib/base/error.h"
#include "lib/core/weights/checkpoint_names.h"

namespace lcm {

namespace fs = std::filesystem;

namespace {

/// True for a tensor that one of the parts may ask for. A part's whole prefix is its own: what is surplus there is found when it is built.
bool belongs_to(const std::map<Part, Layout>& parts, const std::string& name) {
    return std::ranges::any_of(parts, [&](const auto& part) { return name.starts_with(part.second.prefix); });
}

void refuse_strangers(const WeightFile& file, const std::map<Part, Layout>& parts) {
    constexpr std::size_t shown = 3;
    std::vector<std::string> strangers;
    for (const auto& [name, entry] : file.tensors())
        if (!belongs_to(parts, name) && !is_unused_in_checkpoints(name)) strangers.push_back(name);
    if (strangers.empty()) return;
    const std::size_t count = strangers.size();
    strangers.resize(std::min(count, shown));
    throw Error(ExitCode::data, file.path(),
                fmt::format("{} {} to no part of a model: {}{}", count, count == 1 ? "tensor belongs" : "tensors belong",
                            fmt::join(strangers, ", "), count > shown ? fmt::format(" and {} more", count - shown) : ""),
                "use a checkpoint of Stable Diffusion 1.x, 2.x or XL");
}

/// What the file says of itself: the mark of a v-prediction model, or SAI's model specification in the header.
std::string told_prediction_type(const WeightFile& file) {
    if (file.has("v_pred")) return "v_prediction";
    const auto told = file.metadata().find("modelspec.prediction_type");
    if (told == file.metadata().end()) return {};
    if (told->second == "v" || told->second == "v_prediction") return "v_prediction";
    return told->second == "epsilon" ? "epsilon" : "";
}

}  // namespace

std::map<Part, Layout> checkpoint_parts(const WeightFile& file) {
    std::map<Part, Layout> parts;
    for (const Part part : all_parts) {
        const auto layout = find_layout(file, part);
        if (layout && layout->naming != Naming::diffusers && !layout->prefix.empty()) parts.emplace(part, *layout);
    }
    if (parts.empty()) {
        std::string what = "is no checkpoint: it holds no part of a model under the names of Stable Diffusion";
        std::string fix = "name the folder that holds model_index.json, or a checkpoint of Stable Diffusion 1.x, 2.x or XL";
        for (const auto& [part, flag] : {std::pair(Part::unet, "--unet"), std::pair(Part::vae, "--vae")})
            if (find_layout(file, part)) fix = fmt::format("it holds one part alone: give it with {} beside a whole model", flag);
        throw Error(ExitCode::data, file.path(), what, fix);
    }
    refuse_strangers(file, parts);
    return parts;
}

std::string config_folder_beside(const std::string& path) {
    const fs::path file(path);
    std::error_code ignored;
    const fs::path named = file.parent_path() / file.stem();
    if (fs::exists(named / "model_index.json", ignored)) return named;
    const fs::path own = file.has_parent_path() ? file.parent_path() : fs::path(".");
    return fs::exists(own / "model_index.json", ignored) ? own.string() : std::string();
}

Json published_scheduler(const WeightFile& file, const std::string& family) {
    std::string prediction = told_prediction_type(file);
    if (prediction.empty() && family != "sd2") prediction = "epsilon";  // SD 2 was published with epsilon and with v_prediction
    if (prediction.empty()) return Json(nullptr, file.path());
    constexpr double beta_start = 0.00085, beta_end = 0.012;
    Json::Object settings;
    settings.emplace("beta_start", Json(beta_start, file.path()));
    settings.emplace("beta_end", Json(beta_end, file.path()));
    settings.emplace("beta_schedule", Json(std::string("scaled_linear"), file.path()));
    settings.emplace("prediction_type", Json(prediction, file.path()));
    if (file.has("ztsnr")) settings.emplace("rescale_betas_zero_snr", Json(true, file.path()));
    return Json(std::move(settings), file.path());
}

}  // namespace lcm
