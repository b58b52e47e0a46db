#include <doctest/doctest.h>

#include <map>
#include <string>

#include "lib/core/model/clip_vision_processor.h"
#include "lib/core/tensor/picture.h"
#include "lib/input/image/mask.h"
#include "tests/golden/golden_picture.h"

using namespace lcm;

namespace {

const std::map<std::string, Fit> fits{{"default", Fit::stretch}, {"crop", Fit::crop}, {"fill", Fit::pad}};

int size_at(const golden::Case& one, const char* key) { return static_cast<int>(one.args().at(key).as_integer()); }

PixelStatistics statistics_of(const golden::Case& one) {
    PixelStatistics statistics{};
    for (std::size_t i = 0; i < 3; ++i) {
        statistics.mean[i] = static_cast<float>(one.args().at("mean").as_array()[i].as_number());
        statistics.deviation[i] = static_cast<float>(one.args().at("std").as_array()[i].as_number());
    }
    return statistics;
}

golden::Results masks(const golden::Case& one) {
    const FloatImage mask = repaint_mask(golden::picture_of(one), {size_at(one, "width"), size_at(one, "height")}, Fit::stretch);
    return {{"mask", to_torch(mask)}, {"latent_mask", to_torch(latent_mask(mask, 8))}};
}

golden::Results processed(const golden::Case& one) {
    const auto is = [&](std::string_view kind) { return one.id().find(kind) != one.id().npos; };
    if (is("/postprocess")) return {{"rgb", golden::bytes_of(to_image(one.input("pixels")))}};
    if (is("/mask_")) return masks(one);
    const Image image = golden::picture_of(one);
    if (is("/center_crop_")) return {{"rgb", golden::bytes_of(center_crop(image, size_at(one, "crop"), size_at(one, "crop")))}};
    if (is("/normalise_")) return {{"pixels", to_torch(normalize(to_unit(image), statistics_of(one)))}};
    if (is("/clip_processor_")) {
        const CLIPImageProcessor processor{.shortest_edge = size_at(one, "shortest_edge"),
                                           .crop_width = size_at(one, "crop"),
                                           .crop_height = size_at(one, "crop"),
                                           .statistics = statistics_of(one)};
        return {{"pixels", to_torch(processor(image)).to(one.expected("pixels").scalar_type())}};
    }
    const Fit fit = fits.at(one.args().get("resize_mode", "default"));
    return {{"pixels", to_torch(to_signed(fit_to(image, size_at(one, "width"), size_at(one, "height"), fit)))}};
}

}  // namespace

TEST_CASE("pictures are prepared as the processors of transformers and diffusers do") { golden::check_group("image", processed); }
