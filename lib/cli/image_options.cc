#include "lib/cli/image_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "lib/base/error.h"
#include "lib/base/sha256.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"
#include "lib/cli/model_options.h"
#include "lib/image/codec.h"
#include "lib/input/image/control_map.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace {

constexpr const char* picture_group = "Picture";
constexpr const char* feature_model = "efficientnet-lite0/model.safetensors";
constexpr std::uint64_t largest_file = std::uint64_t{256} << 20;
constexpr std::size_t id_digits = 16;

const std::map<std::string, Fit> fits{{"crop", Fit::crop}, {"pad", Fit::pad}, {"stretch", Fit::stretch}};

ImageSize parse_size(const std::string& text) {
    if (const auto size = parse_image_size(text)) return *size;
    throw Error(ExitCode::usage, "--size", fmt::format("\"{}\" is no WIDTHxHEIGHT", escape_control(text)), "write it like 512x768");
}

/// A name that can stand in a tensor's: letters, digits and underscores.
void check_map_name(const std::string& name) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (!name.empty() && std::ranges::all_of(name, fits)) return;
    throw Error(ExitCode::usage, "--control-map", fmt::format("\"{}\" is no name of a map", escape_control(name)),
                "use small letters, digits and underscores, like depth or pose");
}

Bytes read_file(const std::string& path) { return read_all(*open_source(path), largest_file); }

}  // namespace

void ImageOptions::declare(CLI::App& app) {
    app.add_option("PICTURE", pictures, "Pictures to encode, PNG or JPEG; one record each")->type_name("");
    records.declare(app, false);
    const auto add = [&](const char* name, auto& value, const std::string& help) {
        return app.add_option(name, value, help)->allow_extra_args(false)->group(picture_group);
    };
    add("--size", size_, "Size to encode at, multiples of 8; else the record's, else the picture's own, rounded down")->type_name("WxH");
    add("--fit", fit_, "How a picture of another shape gets that size: crop, pad or stretch; else crop with --size")
        ->check(CLI::IsMember(fits))
        ->type_name("HOW");
    add("--mask", masks, "What to repaint: white here is drawn anew, black is kept; one for each picture or one for all")
        ->type_name("FILE");
    app.add_flag("--init", init_, "Start from the picture also where maps or features are asked for")->group(picture_group);
    add("--vae-sample", draw_, "What is taken of the VAE's distribution: its mode, or a sample, the first draw of the seed")
        ->check(CLI::IsMember({"mode", "sample"}))
        ->capture_default_str()
        ->type_name("HOW");
    add("-s,--seed", seed, "Seed of the first picture's sample; picture k gets seed + k")->type_name("N");
    add("--control", drawn_maps_, fmt::format("Draw a control map of the picture: {}", fmt::join(drawn_map_names(), ", ")))
        ->check(CLI::IsMember(drawn_map_names()))
        ->type_name("MAP");
    add("--control-map", given_maps_, "The picture is itself a control map of this name: depth, pose, ...")->type_name("NAME");
    app.add_flag("--features", features_, "Describe the picture in 1280 numbers (EfficientNet-Lite0)")->group(picture_group);
    add("--image-encoder", image_encoder_, "Describe it with a CLIP vision model's folder: what IP-Adapters follow")->type_name("DIR");
}

void ImageOptions::check() {
    records.check();
    if (pictures.empty()) throw Error(ExitCode::usage, "", "no picture is given", "write its file after the command");
    if (!records.files.empty() && pictures.size() > 1)
        throw Error(ExitCode::usage, "--input", "takes one picture for all its records", "give one picture");
    if (masks.size() > 1 && masks.size() != pictures.size())
        throw Error(ExitCode::usage, "--mask", fmt::format("is given {} times for {} pictures", masks.size(), pictures.size()),
                    "give one for each, or one for all");
    if (features_ && !image_encoder_.empty())
        throw Error(ExitCode::usage, "--features", "and --image-encoder both write image.features", "use one of them");
    std::set<std::string> names(drawn_maps_.begin(), drawn_maps_.end());
    for (const std::string& name : given_maps_) {
        check_map_name(name);
        if (!names.insert(name).second)
            throw Error(ExitCode::usage, "--control-map", fmt::format("\"{}\" is asked for twice", name), "leave one out");
    }
    if (!size_.empty()) parse_size(size_);
    if (!masks.empty() && !settings().latent)
        throw Error(ExitCode::usage, "--mask", "is about what to start from, and only maps or features are asked for", "add --init");
}

std::string ImageOptions::feature_file() const {
    std::error_code ignored;
    for (const std::string& folder : model_path())
        if (const std::string file = folder + "/" + feature_model; std::filesystem::exists(file, ignored)) return file;
    throw Error(ExitCode::no_input, feature_model, "is in no folder of models", "install the model, or use --image-encoder");
}

ImageSettings ImageOptions::settings(const Bundle* bundle) const {
    ImageSettings settings;
    if (!size_.empty()) settings.size = parse_size(size_);
    if (!fit_.empty()) settings.fit = fits.at(fit_);
    const bool described = features_ || !image_encoder_.empty();
    settings.latent = init_ || (drawn_maps_.empty() && given_maps_.empty() && !described);
    settings.sample = draw_ == "sample";
    settings.drawn_maps = drawn_maps_;
    settings.given_maps = given_maps_;
    if (bundle && described)
        settings.features = features_ ? open_efficientnet(feature_file(), bundle->device())
                                      : open_image_encoder(image_encoder_, bundle->device(), bundle->pack_cache());
    return settings;
}

std::vector<std::string> ImageOptions::files() const {
    std::vector<std::string> files = pictures;
    files.insert(files.end(), masks.begin(), masks.end());
    files.insert(files.end(), records.files.begin(), records.files.end());
    return files;
}

std::vector<std::string> ImageOptions::networks() const {
    if (features_) return {feature_file()};
    if (!image_encoder_.empty()) return {image_encoder_};
    return {};
}

PictureFeed::PictureFeed(const ImageOptions& options) : options_(options) {
    if (options.records.files.empty()) return;
    input_.emplace(options.records);
    read(0);
}

void PictureFeed::read(std::size_t number) {
    const Bytes bytes = read_file(options_.pictures[number]);
    id_ = sha256_hex(as_bytes(fmt::format("{}\n{}", number, sha256_hex(bytes)))).substr(0, id_digits);
    picture_ = {.image = read_image(bytes, options_.pictures[number]), .place = options_.pictures[number], .mask = {}, .mask_place = {}};
    if (options_.masks.empty()) return;
    picture_.mask_place = options_.masks.size() == 1 ? options_.masks.front() : options_.masks[number];
    picture_.mask = read_image(read_file(picture_.mask_place), picture_.mask_place);
}

std::optional<Record> PictureFeed::next() {
    if (input_) return input_->next();
    if (number_ == options_.pictures.size()) return std::nullopt;
    const std::size_t number = number_++;
    try {
        read(number);
    } catch (const Error& error) {
        throw RecordFailure(error, "");
    }
    Record record;
    record.place = picture_.place;
    record.set(key::id, id_);
    record.final = number_ == options_.pictures.size();
    return record;
}

}  // namespace lcm::cli
