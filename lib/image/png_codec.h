#pragma once

#include <span>
#include <string>

#include "lib/base/bytes.h"
#include "lib/image/codec.h"
#include "lib/image/orientation.h"

/// PNG through libpng. The contracts are those of codec.h; in a build without the library every function throws Error(unavailable).
namespace lcm::png {

/// Throws where this build lacks the codec.
void expect_available(const std::string& where);

/// A whole PNG file. `text` is well-formed UTF-8 without NUL.
Bytes encode(const Image& image, const PictureText& text);

/// As `read_png`, with the orientation that a chunk eXIf gives.
StoredImage decode(std::span<const std::byte> file, const std::string& name);

/// As `inspect_picture`.
PictureFile inspect(std::span<const std::byte> file, const std::string& name);

}  // namespace lcm::png
