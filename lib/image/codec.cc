#include "lib/image/codec.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/resource_limits.h"
#include "lib/base/text.h"
#include "lib/image/jpeg_codec.h"
#include "lib/image/picture_limits.h"
#include "lib/image/png_codec.h"

namespace lcm {
namespace {

void check_text(std::string_view text) {
    if (!is_utf8(text) || text.find('\0') != std::string_view::npos)
        throw Error(ExitCode::data, "picture text", "is no UTF-8 or holds a NUL character");
}

void check_image(const Image& image) {
    const bool known_channels = image.channels == 1 || image.channels == 3 || image.channels == 4;
    check_picture_size(image.width, image.height, "picture");
    const auto samples = static_cast<std::int64_t>(image.width) * image.height * image.channels;
    if (!known_channels || samples != static_cast<std::int64_t>(image.pixels.size()))
        throw Error(ExitCode::software, "picture", "its size does not fit its pixels");
}

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

void check_picture_size(std::int64_t width, std::int64_t height, const std::string& name) {
    if (width < 1 || height < 1) throw Error(ExitCode::data, name, "is an empty picture");
    expect_picture_size(width, height, name);
}

ImageFormat format_of(std::string_view path) {
    std::string lower(path);
    std::ranges::transform(lower, lower.begin(), ascii_lower);
    if (lower.ends_with(".png")) {
        png::expect_available(std::string(path));
        return ImageFormat::png;
    }
    if (lower.ends_with(".jpg") || lower.ends_with(".jpeg")) {
        jpeg::expect_available(std::string(path));
        return ImageFormat::jpeg;
    }
    throw Error(ExitCode::usage, std::string(path), "has no ending that names a picture format", "use .png, .jpg or .jpeg");
}

std::optional<ImageFormat> detect_format(std::span<const std::byte> file) {
    const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
    if (text.starts_with("\x89PNG\r\n\x1a\n")) return ImageFormat::png;
    if (text.starts_with("\xff\xd8\xff")) return ImageFormat::jpeg;
    return std::nullopt;
}

void write_image(ByteSink& sink, const Image& image, ImageFormat format, const PictureText& text, int jpeg_quality) {
    check_image(image);
    check_text(text.parameters);
    check_text(text.xmp);
    // Encoded whole before the first byte leaves: a fault never leaves half a picture on a pipe.
    sink.write(format == ImageFormat::png ? png::encode(image, text) : jpeg::encode(image, text, jpeg_quality));
}

Image read_png(std::span<const std::byte> file, const std::string& name) {
    if (detect_format(file) != ImageFormat::png) throw Error(ExitCode::data, name, "is no PNG picture");
    return png::decode(file, name).image;
}

Image read_image(std::span<const std::byte> file, const std::string& name) {
    const auto format = detect_format(file);
    if (!format) throw Error(ExitCode::data, name, "is no PNG or JPEG picture");
    return upright(*format == ImageFormat::png ? png::decode(file, name) : jpeg::decode(file, name));
}

PictureFile inspect_picture(std::span<const std::byte> file, const std::string& name) {
    const auto format = detect_format(file);
    if (!format) throw Error(ExitCode::data, name, "is no PNG or JPEG picture");
    return *format == ImageFormat::png ? png::inspect(file, name) : jpeg::inspect(file, name);
}

}  // namespace lcm
