#include "lib/image/exif.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/image/encoding.h"
#include "lib/image/orientation.h"

namespace lcm {
namespace {

using namespace std::string_view_literals;

// JEITA CP-3451 (EXIF 2.3): a TIFF structure after this mark, and the codes in front of a UserComment.
constexpr auto exif_mark = "Exif\0\0"sv;
constexpr auto unicode_mark = "UNICODE\0"sv;
constexpr auto ascii_mark = "ASCII\0\0\0"sv;

constexpr std::uint16_t tag_exif_directory = 0x8769;
constexpr std::uint16_t tag_user_comment = 0x9286;
constexpr std::uint16_t tag_orientation = 0x0112;
constexpr std::uint16_t type_short = 3;
constexpr std::uint16_t type_long = 4;
constexpr std::uint16_t type_undefined = 7;
constexpr std::uint32_t tiff_header_bytes = 8;
constexpr std::uint32_t entry_bytes = 12;
constexpr std::uint32_t one_entry_directory_bytes = 2 + entry_bytes + 4;

void put16(std::string& out, std::uint32_t value) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value);
}

void put32(std::string& out, std::uint32_t value) {
    put16(out, value >> 16);
    put16(out, value & 0xFFFF);
}

struct Entry {
    std::uint16_t tag, type;
    std::uint32_t count, value;
};

void put_directory(std::string& out, const Entry& entry) {
    put16(out, 1);
    put16(out, entry.tag);
    put16(out, entry.type);
    put32(out, entry.count);
    put32(out, entry.value);
    put32(out, 0);  // no next directory
}

/// Bounds-checked reading of a TIFF structure.
class Tiff {
public:
    Tiff(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {
        const auto order = text(0, 2);
        if (order != "MM" && order != "II") fail("has no byte order");
        big_endian_ = order == "MM";
        if (u16(2) != 42) fail("is no TIFF structure");
    }

    std::uint32_t first_directory() const { return u32(4); }

    std::optional<Entry> find(std::uint32_t directory, std::uint16_t tag) const {
        const std::uint64_t count = u16(directory);
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t at = directory + 2 + i * entry_bytes;
            if (u16(at) == tag) return Entry{tag, u16(at + 2), u32(at + 4), u32(at + 8)};
        }
        return std::nullopt;
    }

    /// The number in an entry that holds one; nothing for other types.
    std::optional<std::uint32_t> number(const Entry& entry) const {
        if (entry.count != 1 || (entry.type != type_short && entry.type != type_long)) return std::nullopt;
        if (entry.type == type_long) return entry.value;
        return big_endian_ ? entry.value >> 16 : entry.value & 0xFFFF;  // a short one stands at the field's begin
    }

    std::string_view text(std::uint64_t at, std::uint64_t size) const {
        if (at > bytes_.size() || size > bytes_.size() - at) fail("points outside itself");
        return {reinterpret_cast<const char*>(bytes_.data()) + at, size};
    }

    [[noreturn]] void fail(const char* fault) const { throw Error(ExitCode::data, name_, std::string("the EXIF block ") + fault); }

private:
    std::uint16_t u16(std::uint64_t at) const {
        const auto raw = text(at, 2);
        const auto first = static_cast<unsigned char>(raw[0]), second = static_cast<unsigned char>(raw[1]);
        return static_cast<std::uint16_t>(big_endian_ ? first << 8 | second : second << 8 | first);
    }

    std::uint32_t u32(std::uint64_t at) const {
        const std::uint32_t first = u16(at), second = u16(at + 2);
        return big_endian_ ? first << 16 | second : second << 16 | first;
    }

    std::span<const std::byte> bytes_;
    const std::string& name_;
    bool big_endian_ = true;
};

std::string decode_utf16be(std::string_view raw, const Tiff& tiff) {
    if (raw.size() % 2 != 0) tiff.fail("holds half a UTF-16 unit");
    std::u16string units;
    for (std::size_t i = 0; i < raw.size(); i += 2)
        units += static_cast<char16_t>(static_cast<unsigned char>(raw[i]) << 8 | static_cast<unsigned char>(raw[i + 1]));
    const auto text = utf16_to_utf8(units);
    if (!text) tiff.fail("holds a text that is no UTF-16");
    return *text;
}

}  // namespace

std::string exif_with_comment(std::string_view text) {
    const auto units = utf8_to_utf16(text);
    const auto comment_bytes = static_cast<std::uint32_t>(unicode_mark.size() + 2 * units.size());
    const std::uint32_t exif_directory = tiff_header_bytes + one_entry_directory_bytes;

    std::string out(exif_mark);
    out += "MM";
    put16(out, 42);
    put32(out, tiff_header_bytes);
    put_directory(out, {tag_exif_directory, type_long, 1, exif_directory});
    put_directory(out, {tag_user_comment, type_undefined, comment_bytes, exif_directory + one_entry_directory_bytes});
    out += unicode_mark;
    for (const char16_t unit : units) put16(out, unit);
    return out;
}

bool is_exif(std::span<const std::byte> payload) {
    return payload.size() >= exif_mark.size() && std::ranges::equal(payload.first(exif_mark.size()), as_bytes(exif_mark));
}

int orientation_of_exif(std::span<const std::byte> payload) {
    try {
        const std::string name;
        const Tiff tiff(is_exif(payload) ? payload.subspan(exif_mark.size()) : payload, name);
        const auto entry = tiff.find(tiff.first_directory(), tag_orientation);
        const auto number = entry ? tiff.number(*entry) : std::nullopt;
        return number && *number >= 1 && *number <= 8 ? static_cast<int>(*number) : upright_orientation;
    } catch (const Error&) {
        return upright_orientation;
    }
}

std::string comment_of_exif(std::span<const std::byte> payload, const std::string& name) {
    const Tiff tiff(payload.subspan(exif_mark.size()), name);
    const auto pointer = tiff.find(tiff.first_directory(), tag_exif_directory);
    if (!pointer) return {};
    const auto comment = tiff.find(pointer->value, tag_user_comment);
    if (!comment || comment->count < unicode_mark.size()) return {};

    const auto raw = tiff.text(comment->value, comment->count);
    const auto body = raw.substr(unicode_mark.size());
    if (raw.starts_with(unicode_mark)) return decode_utf16be(body, tiff);
    return raw.starts_with(ascii_mark) && is_utf8(body) ? std::string(body) : std::string();
}

}  // namespace lcm
