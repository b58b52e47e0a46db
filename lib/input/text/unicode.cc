#include "lib/input/text/unicode.h"

#include <fmt/format.h>

#include <cstddef>

#include "lib/base/error.h"
#include "lib/base/text.h"

namespace lcm::unicode {

std::u32string decode(std::string_view text) {
    std::u32string points;
    points.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint point = decode_utf8(text.substr(i));
        if (point.length == 0)
            throw Error(ExitCode::data, "prompt", fmt::format("it is not valid UTF-8 at byte {}", i), "convert it with iconv -t UTF-8");
        points.push_back(point.value);
        i += point.length;
    }
    return points;
}

std::string encode(std::u32string_view text) {
    std::string bytes;
    bytes.reserve(text.size());
    for (const char32_t point : text) {
        if (point < 0x80) {
            bytes.push_back(static_cast<char>(point));
            continue;
        }
        const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
        constexpr unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
        bytes.push_back(static_cast<char>(lead[more] | point >> (6 * more)));
        for (int shift = 6 * (more - 1); shift >= 0; shift -= 6) bytes.push_back(static_cast<char>(0x80 | (point >> shift & 0x3F)));
    }
    return bytes;
}

}  // namespace lcm::unicode
