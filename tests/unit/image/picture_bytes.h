#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/image/codec.h"

/// Pictures and their bytes, built by hand for the tests.
namespace lcm::test {

/// The exit code of the Error that `action` throws; nothing when it throws none.
inline std::optional<ExitCode> failure(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return std::nullopt;
}

inline Bytes to_bytes(std::string_view text) {
    const auto span = as_bytes(text);
    return {span.begin(), span.end()};
}

inline std::string_view to_text(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// A picture whose samples all differ from their neighbours.
inline Image pattern(int width, int height, int channels) {
    Image image{width, height, channels, {}};
    for (int i = 0; i < width * height * channels; ++i) image.pixels.push_back(static_cast<std::uint8_t>(i * 37 + i / 7));
    return image;
}

inline Bytes written(const Image& image, ImageFormat format, const PictureText& text = {}, int quality = 95) {
    Bytes out;
    write_image(*sink_to_memory(out, "memory"), image, format, text, quality);
    return out;
}

inline std::string big_endian(std::uint32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
    return out;
}

inline std::string png_chunk(const std::string& type, const std::string& data) {
    const auto covered = type + data;
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(covered.data()), static_cast<uInt>(covered.size()));
    return big_endian(static_cast<std::uint32_t>(data.size())) + covered + big_endian(static_cast<std::uint32_t>(crc));
}

inline std::string deflated(const std::string& data) {
    uLongf size = compressBound(data.size());
    std::string out(size, '\0');
    compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(data.data()), data.size());
    out.resize(size);
    return out;
}

/// What a PNG header says; rows start with their filter byte.
struct PngLayout {
    std::uint32_t width = 1, height = 1;
    int depth = 8, color_type = 0;
    bool interlaced = false;
    std::string extra = {};  ///< chunks between header and pixels
    std::string rows = {};   ///< uncompressed
    std::string after = {};  ///< chunks between pixels and end
};

inline Bytes png_file(const PngLayout& layout) {
    std::string header = big_endian(layout.width) + big_endian(layout.height);
    for (const int value : {layout.depth, layout.color_type, 0, 0, layout.interlaced ? 1 : 0}) header += static_cast<char>(value);
    const auto start = "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + layout.extra;
    return to_bytes(start + png_chunk("IDAT", deflated(layout.rows)) + layout.after + png_chunk("IEND", ""));
}

}  // namespace lcm::test
