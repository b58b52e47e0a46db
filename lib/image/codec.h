#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/image/image.h"

namespace lcm {

/// File formats of pictures.
enum class ImageFormat { png, jpeg };

/// By file name ending (.png, .jpg, .jpeg, any case).
/// @throws Error(usage) for another ending, Error(unavailable) when this build lacks the codec
ImageFormat format_of(std::string_view path);

/// Text that travels inside a picture file.
struct PictureText {
    std::string parameters;  ///< A1111 text: PNG chunk `parameters` (tEXt when Latin-1, else iTXt), JPEG EXIF UserComment; empty: none
    std::string xmp;         ///< XMP packet: PNG iTXt `XML:com.adobe.xmp`, JPEG APP1; empty: none
};

/// Writes a picture in one piece; equal input gives equal bytes. Does not call `finish()`.
/// @param jpeg_quality  1 to 100
/// @throws Error(unavailable) when the build lacks the codec; Error(data) when the text is no UTF-8, holds a NUL, or is too large
///         (PNG: 1 MiB in all; JPEG: 65,533 bytes a segment, two a character); Error(usage) for RGBA as JPEG; what the sink throws
void write_image(ByteSink& sink, const Image& image, ImageFormat format, const PictureText& text, int jpeg_quality = 95);

/// Decodes a PNG to RGB as it is stored (alpha dropped, palette and grey expanded, 16 bits narrowed). Limits: 16,384 a side, 64 MP, 1 MiB
/// of text.
/// @throws Error(data), Error(refused)
Image read_png(std::span<const std::byte> file, const std::string& name);

/// Decodes a PNG or JPEG to RGB, under the limits of `read_png`, and turns it upright where EXIF says how it lies. @throws Error(data),
/// Error(refused), Error(unavailable)
Image read_image(std::span<const std::byte> file, const std::string& name);

/// What a picture file says of itself.
struct PictureFile {
    ImageFormat format = ImageFormat::png;
    int width = 0, height = 0;
    int channels = 0;  ///< as stored: 1 grey or palette, 2 grey and alpha, 3 RGB, 4 RGBA or CMYK
    PictureText text;
};

/// The format by the first bytes of a file; nothing when it is neither PNG nor JPEG. Eight bytes are enough.
std::optional<ImageFormat> detect_format(std::span<const std::byte> file);

/// Size and text of a PNG or JPEG file, under the limits of `read_png`; the file is checked to its end, but no picture is kept.
/// @throws Error(data), Error(refused), Error(unavailable)
PictureFile inspect_picture(std::span<const std::byte> file, const std::string& name);

}  // namespace lcm
