#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lcm {

/// UTF-8 as UTF-16 code units. `text` must be well-formed (`is_utf8`).
std::u16string utf8_to_utf16(std::string_view text);

/// UTF-16 code units as UTF-8; nothing when a surrogate stands alone.
std::optional<std::string> utf16_to_utf8(std::u16string_view text);

/// Well-formed UTF-8 as ISO 8859-1; nothing when a code point is above U+00FF.
std::optional<std::string> utf8_to_latin1(std::string_view text);

/// ISO 8859-1 as UTF-8.
std::string latin1_to_utf8(std::string_view text);

}  // namespace lcm
