#include "lib/image/fit.h"

#include <algorithm>

namespace lcm {
namespace {

/// Copies `source` into `target` with its upper left corner at (left, top); what lies outside is cut.
void paste(Image& target, const Image& source, int left, int top) {
    const int first = std::max(left, 0), last = std::min(left + source.width, target.width);
    if (first >= last) return;
    const auto channels = static_cast<std::size_t>(target.channels), bytes = static_cast<std::size_t>(last - first) * channels;
    for (int y = std::max(top, 0); y < std::min(top + source.height, target.height); ++y) {
        const auto row = source.row(y - top).subspan(static_cast<std::size_t>(first - left) * channels, bytes);
        std::ranges::copy(row, target.pixels.begin() + static_cast<std::ptrdiff_t>(target.row(y).data() - target.pixels.data()) +
                                   static_cast<std::ptrdiff_t>(static_cast<std::size_t>(first) * channels));
    }
}

Image black(int width, int height, int channels) {
    Image image{width, height, channels, {}};
    image.pixels.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * static_cast<std::size_t>(channels));
    return image;
}

int scaled(int length, int numerator, int denominator) {
    return std::max(static_cast<int>(std::int64_t{length} * numerator / denominator), 1);
}

/// Continues the outermost rows of `inner` above and below, its outermost columns at the sides, where it leaves room in `target`.
void fill_edges(Image& target, const Image& inner) {
    const double width = inner.width, height = inner.height;
    if (const int room = target.height / 2 - inner.height / 2; inner.width == target.width && room > 0) {
        paste(target, resize(inner, target.width, room, Filter::bicubic, {0, 0, width, 0}), 0, 0);
        paste(target, resize(inner, target.width, room, Filter::bicubic, {0, height, width, height}), 0, room + inner.height);
    } else if (const int side = target.width / 2 - inner.width / 2; inner.height == target.height && side > 0) {
        paste(target, resize(inner, side, target.height, Filter::bicubic, {0, 0, 0, height}), 0, 0);
        paste(target, resize(inner, side, target.height, Filter::bicubic, {width, 0, width, height}), side + inner.width, 0);
    }
}

}  // namespace

Image fit_to(const Image& image, int width, int height, Fit fit, Filter filter) {
    if (fit == Fit::stretch) return resize(image, width, height, filter);
    // The side that decides the factor: of two the larger for a crop, the smaller for a padded picture.
    const bool flatter = std::int64_t{width} * image.height < std::int64_t{image.width} * height;
    const bool by_height = flatter == (fit == Fit::crop);
    const int inner_width = by_height ? scaled(image.width, height, image.height) : width;
    const int inner_height = by_height ? height : scaled(image.height, width, image.width);
    const Image inner = resize(image, inner_width, inner_height, filter);
    Image result = black(width, height, image.channels);
    paste(result, inner, width / 2 - inner_width / 2, height / 2 - inner_height / 2);
    if (fit == Fit::pad) fill_edges(result, inner);
    return result;
}

Image resize_shortest_edge(const Image& image, int edge, Filter filter) {
    const int shorter = std::min(image.width, image.height);
    return resize(image, scaled(image.width, edge, shorter), scaled(image.height, edge, shorter), filter);
}

Image center_crop(const Image& image, int width, int height) {
    Image result = black(width, height, image.channels);
    const auto offset = [](int inside, int outside) { return inside >= outside ? -((inside - outside) / 2) : (outside - inside + 1) / 2; };
    paste(result, image, offset(image.width, width), offset(image.height, height));
    return result;
}

Image to_grey(const Image& image) {
    if (image.channels == 1) return image;
    Image grey{image.width, image.height, 1, {}};
    const auto channels = static_cast<std::size_t>(image.channels);
    for (std::size_t i = 0; i < image.pixels.size(); i += channels) {
        const auto sum = 19595U * image.pixels[i] + 38470U * image.pixels[i + 1] + 7471U * image.pixels[i + 2] + 0x8000U;
        grey.pixels.push_back(static_cast<std::uint8_t>(sum >> 16));
    }
    return grey;
}

}  // namespace lcm
