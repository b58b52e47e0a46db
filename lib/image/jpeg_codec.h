#pragma once

#include <span>
#include <string>

#include "lib/base/bytes.h"
#include "lib/image/codec.h"
#include "lib/image/orientation.h"

/// JPEG through libjpeg. The contracts are those of codec.h; in a build without the library every function throws Error(unavailable).
namespace lcm::jpeg {

/// Throws where this build lacks the codec.
void expect_available(const std::string& where);

/// A whole JPEG file. `text` is well-formed UTF-8 without NUL.
/// @throws Error(data) when a text does not fit one segment, Error(usage) for RGBA pictures or a quality outside 1..100
Bytes encode(const Image& image, const PictureText& text, int quality);

/// Decodes to RGB, with the orientation that EXIF gives: grey is expanded; what has four channels (CMYK) is refused. As `read_image`.
StoredImage decode(std::span<const std::byte> file, const std::string& name);

/// As `inspect_picture`; the compressed data is searched for its end mark, not decoded.
PictureFile inspect(std::span<const std::byte> file, const std::string& name);

}  // namespace lcm::jpeg
