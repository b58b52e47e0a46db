#include "lib/render/preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace lcm {
namespace {

using Colour = std::array<int, 3>;

/// A picture seen as a coarser grid of cells, each the mean colour of the pixels it covers.
class Cells {
public:
    Cells(const Image& image, int columns) : image_(image), columns_(columns), rows_(std::max(1, image.height * columns / image.width)) {}

    int rows() const { return rows_; }

    Colour colour(int column, int row) const {
        const int left = image_.width * column / columns_, right = std::max(left + 1, image_.width * (column + 1) / columns_);
        const int top = image_.height * row / rows_, bottom = std::max(top + 1, image_.height * (row + 1) / rows_);
        Colour sum{};
        for (int y = top; y < bottom; ++y)
            for (int x = left; x < right; ++x)
                for (int channel = 0; channel < 3; ++channel)
                    sum[channel] += image_.row(y)[x * image_.channels + std::min(channel, image_.channels - 1)];
        for (auto& value : sum) value /= (right - left) * (bottom - top);
        return sum;
    }

private:
    const Image& image_;
    int columns_, rows_;
};

}  // namespace

std::string half_blocks(const Image& image, int columns) {
    columns = std::min(columns, image.width);
    const Cells cells(image, columns);
    std::string text;
    for (int row = 0; row < cells.rows(); row += 2) {
        for (int column = 0; column < columns; ++column) {
            const auto upper = cells.colour(column, row);
            const auto lower = cells.colour(column, std::min(row + 1, cells.rows() - 1));
            text += fmt::format("\x1b[38;2;{};{};{};48;2;{};{};{}m\u2580", upper[0], upper[1], upper[2], lower[0], lower[1], lower[2]);
        }
        text += "\x1b[0m\n";
    }
    return text;
}

}  // namespace lcm
