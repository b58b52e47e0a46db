#include "lib/core/model/clip_vision_processor.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "lib/core/model/config_reader.h"

namespace lcm {
namespace {

/// Pillow's numbers of its filters.
constexpr std::array filters{Filter::nearest, Filter::lanczos, Filter::bilinear, Filter::bicubic, Filter::box, Filter::hamming};
constexpr int largest_edge = 4096;

int edge(ConfigReader& reader, std::string_view key, const Json& value) {
    if (!value.is_integer() || value.as_integer() < 1 || value.as_integer() > largest_edge)
        reader.refuse(key, fmt::format("{} is no size from 1 to {}", to_json(value), largest_edge));
    return static_cast<int>(value.as_integer());
}

/// A size in one of its spellings: a number, or an object with these keys.
std::optional<int> edge_of(ConfigReader& reader, std::string_view key, std::string_view member) {
    const Json* value = reader.find(key);
    if (!value) return std::nullopt;
    if (!value->is_object()) return edge(reader, key, *value);
    const Json* found = value->find(member);
    if (!found) reader.refuse(key, fmt::format("{} has no {}", to_json(*value), member));
    return edge(reader, key, *found);
}

void read_statistics(ConfigReader& reader, std::string_view key, std::array<float, 3>& numbers) {
    const Json* value = reader.find(key);
    if (!value) return;
    if (value->as_array().size() != numbers.size()) reader.refuse(key, fmt::format("{} are no three numbers", to_json(*value)));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(value->as_array()[i].as_number());
}

}  // namespace

CLIPImageProcessor CLIPImageProcessor::from_json(const Json& json) {
    ConfigReader reader(json);
    CLIPImageProcessor processor;
    for (const char* key : {"do_center_crop", "do_convert_rgb", "do_normalize", "do_rescale", "do_resize"}) reader.only(key, "true");
    reader.ignore({"feature_extractor_type", "image_processor_type", "rescale_factor"});
    processor.shortest_edge = edge_of(reader, "size", "shortest_edge").value_or(processor.shortest_edge);
    processor.crop_width = edge_of(reader, "crop_size", "width").value_or(processor.crop_width);
    processor.crop_height = edge_of(reader, "crop_size", "height").value_or(processor.crop_height);
    if (const Json* number = reader.find("resample")) {
        if (number->as_integer() < 0 || number->as_integer() >= std::ssize(filters))
            reader.refuse("resample", fmt::format("{} is no filter of Pillow", to_json(*number)));
        processor.filter = filters[static_cast<std::size_t>(number->as_integer())];
    }
    read_statistics(reader, "image_mean", processor.statistics.mean);
    read_statistics(reader, "image_std", processor.statistics.deviation);
    for (const float deviation : processor.statistics.deviation)
        if (!(deviation > 0)) reader.refuse("image_std", fmt::format("{} is not positive", deviation));
    reader.finish();
    return processor;
}

FloatImage CLIPImageProcessor::operator()(const Image& image) const {
    return normalize(to_unit(center_crop(resize_shortest_edge(image, shortest_edge, filter), crop_width, crop_height)), statistics);
}

}  // namespace lcm
