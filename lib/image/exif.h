#pragma once

#include <span>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"

namespace lcm {

/// The payload of a JPEG APP1 segment whose EXIF UserComment is `text` (well-formed UTF-8, stored as `UNICODE\0` and UTF-16BE).
std::string exif_with_comment(std::string_view text);

/// The UserComment of an EXIF payload as UTF-8; empty when there is none, or when it is in a code that A1111 text never uses.
/// @throws Error(data) when offsets leave the payload or the text is no UTF-16
std::string comment_of_exif(std::span<const std::byte> payload, const std::string& name);

/// The orientation in an EXIF payload, with or without its mark: 1 to 8 (`orientation.h`). 1 where it says none, says nonsense, or is
/// broken: whoever wants the pixels has no use for an error.
int orientation_of_exif(std::span<const std::byte> payload);

/// True for an APP1 payload that holds EXIF.
bool is_exif(std::span<const std::byte> payload);

}  // namespace lcm
