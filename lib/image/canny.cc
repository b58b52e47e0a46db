#include "lib/image/canny.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace lcm {
namespace {

constexpr int shift = 15;
constexpr std::int64_t tangent = 13573;  // tan(22.5 degrees) of 2^15, rounded

struct Gradient {
    int x = 0, y = 0;
    int size() const { return std::abs(x) + std::abs(y); }
};

/// Gradients with a border of zeros round the picture.
class GradientMap {
public:
    explicit GradientMap(const Image& image)
        : width_(image.width), gradients_(static_cast<std::size_t>(image.width + 2) * static_cast<std::size_t>(image.height + 2)) {
        for (int y = 0; y < image.height; ++y)
            for (int x = 0; x < image.width; ++x) at(x, y) = strongest(image, x, y);
    }

    Gradient& at(int x, int y) { return gradients_[index(x, y)]; }
    const Gradient& at(int x, int y) const { return gradients_[index(x, y)]; }
    int size(int x, int y) const { return at(x, y).size(); }

private:
    std::size_t index(int x, int y) const {
        return static_cast<std::size_t>(y + 1) * static_cast<std::size_t>(width_ + 2) + static_cast<std::size_t>(x + 1);
    }

    static Gradient strongest(const Image& image, int x, int y) {
        const auto channels = static_cast<std::size_t>(image.channels);
        const int rows[] = {std::max(y - 1, 0), y, std::min(y + 1, image.height - 1)};
        const std::size_t left = static_cast<std::size_t>(std::max(x - 1, 0)) * channels, middle = static_cast<std::size_t>(x) * channels,
                          right = static_cast<std::size_t>(std::min(x + 1, image.width - 1)) * channels;
        const auto above = image.row(rows[0]), here = image.row(rows[1]), below = image.row(rows[2]);
        Gradient best;
        for (std::size_t c = 0; c < channels; ++c) {
            const Gradient one{
                above[right + c] - above[left + c] + 2 * (here[right + c] - here[left + c]) + below[right + c] - below[left + c],
                below[left + c] - above[left + c] + 2 * (below[middle + c] - above[middle + c]) + below[right + c] - above[right + c]};
            if (c == 0 || one.size() > best.size()) best = one;
        }
        return best;
    }

    int width_;
    std::vector<Gradient> gradients_;
};

/// True where no neighbour across the edge is stronger. Of two that are equal the one at the left or above counts.
bool is_ridge(const GradientMap& map, int x, int y) {
    const Gradient& gradient = map.at(x, y);
    const int size = gradient.size();
    const std::int64_t across = std::abs(gradient.x), down = std::int64_t{std::abs(gradient.y)} << shift;
    const std::int64_t flat = across * tangent, steep = flat + (across << (shift + 1));
    if (down < flat) return size > map.size(x - 1, y) && size >= map.size(x + 1, y);
    if (down > steep) return size > map.size(x, y - 1) && size >= map.size(x, y + 1);
    const int side = (gradient.x ^ gradient.y) < 0 ? -1 : 1;
    return size > map.size(x - side, y - 1) && size > map.size(x + side, y + 1);
}

}  // namespace

Image canny(const Image& image, const CannyThresholds& thresholds) {
    enum Mark : std::uint8_t { none = 0, weak = 1, edge = 255 };
    const GradientMap map(image);
    Image result{image.width, image.height, 1, {}};
    std::vector<std::size_t> front;  // edges whose neighbours have not been looked at
    for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x) {
            const bool ridge = map.size(x, y) > thresholds.low && is_ridge(map, x, y);
            const bool strong = ridge && map.size(x, y) > thresholds.high;
            if (strong) front.push_back(result.pixels.size());
            result.pixels.push_back(strong ? edge : ridge ? weak : none);
        }
    const auto width = static_cast<std::size_t>(image.width);
    while (!front.empty()) {
        const int x = static_cast<int>(front.back() % width), y = static_cast<int>(front.back() / width);
        front.pop_back();
        for (int v = std::max(y - 1, 0); v <= std::min(y + 1, image.height - 1); ++v)
            for (int u = std::max(x - 1, 0); u <= std::min(x + 1, image.width - 1); ++u) {
                const std::size_t neighbour = static_cast<std::size_t>(v) * width + static_cast<std::size_t>(u);
                if (result.pixels[neighbour] != weak) continue;
                result.pixels[neighbour] = edge;
                front.push_back(neighbour);
            }
    }
    std::ranges::replace(result.pixels, std::uint8_t{weak}, std::uint8_t{none});
    return result;
}

}  // namespace lcm
