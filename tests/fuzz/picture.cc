// A picture that is accepted has the size that its file says, and keeps its pixels when it is written.

#include "lib/base/error.h"
#include "lib/base/resource_limits.h"
#include "lib/image/codec.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lcm;

constexpr std::int64_t largest_rewrite = 1 << 16;  // pixels; more would only take time

std::optional<PictureFile> inspected(std::span<const std::byte> file) {
    try {
        return inspect_picture(file, "picture");
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::optional<Image> decoded(std::span<const std::byte> file) {
    try {
        return read_png(file, "picture");
    } catch (const Error&) {
        return std::nullopt;
    }
}

void check_file(const PictureFile& picture) {
    fuzz::expect(picture.width >= 1 && picture.width <= max_side && picture.height >= 1 && picture.height <= max_side,
                 "sides are within their limit");
    fuzz::expect(std::int64_t{picture.width} * picture.height <= static_cast<std::int64_t>(limits().pixels),
                 "pixels are within their limit");
    fuzz::expect(picture.channels >= 1 && picture.channels <= 4, "a picture has 1 to 4 channels");
}

void check_image(const Image& image) {
    const std::int64_t pixels = std::int64_t{image.width} * image.height;
    fuzz::expect(image.channels == 3 && image.pixels.size() == static_cast<std::size_t>(pixels * 3), "a decoded picture is RGB and whole");
    if (pixels > largest_rewrite) return;
    Bytes file;
    write_image(*sink_to_memory(file, "memory"), image, ImageFormat::png, {});
    const Image again = read_png(file, "picture written again");
    fuzz::expect(again.width == image.width && again.height == image.height && again.pixels == image.pixels,
                 "a picture that was accepted keeps its pixels");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::bytes_of(data, size);
    const auto picture = inspected(bytes);
    const auto image = decoded(bytes);
    if (picture) check_file(*picture);
    if (picture) fuzz::expect(detect_format(bytes) == picture->format, "the first bytes name the format");
    if (image) check_image(*image);
    if (image)
        fuzz::expect(picture && picture->width == image->width && picture->height == image->height,
                     "what decodes is accepted by a look at the file, with the same size");
    return 0;
}
