#include "lib/stream/marks.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/base/sha256.h"
#include "lib/stream/header.h"
#include "lib/stream/keys.h"

namespace lcm {

namespace {

constexpr std::string_view current_version = "1";
constexpr std::size_t digest_digits = 64;

[[noreturn]] void fail(const std::string& place, std::string what) { throw Error(ExitCode::data, place, std::move(what)); }

std::string take(Metadata& metadata, std::string_view key, const std::string& place) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) fail(place, fmt::format("key \"{}\" is missing", key));
    return std::move(metadata.extract(found).mapped());
}

std::uint64_t take_number(Metadata& metadata, std::string_view key, const std::string& place) {
    const std::string text = take(metadata, key, place);
    const auto number = parse_u64(text);
    if (!number) fail(place, fmt::format("key \"{}\": expected an unsigned integer, found {}", key, json_quote(text)));
    return *number;
}

}  // namespace

void check_version(const Metadata& metadata, const std::string& place) {
    const auto version = metadata.find(key::version);
    if (version == metadata.end())
        fail(place, fmt::format("key {} without \"{}\"", json_quote(metadata.lower_bound(key::prefix)->first), key::version));
    const std::string_view text = version->second;
    const std::string_view major = text.substr(0, text.find('.'));
    if (!parse_u64(major) || (major.size() != text.size() && !parse_u64(text.substr(major.size() + 1))))
        fail(place, fmt::format("key \"{}\": {} is no version", key::version, json_quote(text)));
    if (major != current_version) {
        throw Error(ExitCode::data, place, fmt::format("is lcm-stream version {}, this build reads version {}", text, current_version),
                    "use a newer build");
    }
}

Marks take_marks(Metadata& metadata, const std::string& place, bool checksums) {
    const auto take_checksum = [&](std::string_view key) {
        return checksums || metadata.contains(key) ? take(metadata, key, place) : std::string();
    };
    take(metadata, key::version, place);
    Marks marks;
    marks.seq = take_number(metadata, key::seq, place);
    marks.sha256 = take_checksum(key::sha256);
    marks.header_sha256 = take_checksum(key::header_sha256);
    if (metadata.contains(key::final)) {
        marks.final = true;
        if (const std::string value = take(metadata, key::final, place); value != "1")
            fail(place, fmt::format("key \"{}\": expected \"1\", found {}", key::final, json_quote(value)));
        marks.count = take_number(metadata, key::count, place);
        marks.stream_sha256 = take_checksum(key::stream_sha256);
    }
    for (const std::string_view only_final : {key::count, key::stream_sha256})
        if (metadata.contains(only_final)) fail(place, fmt::format("key \"{}\" without \"{}\"", only_final, key::final));
    return marks;
}

void put_marks(const Marks& marks, Metadata& metadata) {
    const auto put = [&](std::string_view key, std::string value) { metadata.insert_or_assign(std::string(key), std::move(value)); };
    put(key::version, std::string(current_version));
    put(key::seq, std::to_string(marks.seq));
    put(key::sha256, marks.sha256);
    put(key::header_sha256, std::string(digest_digits, '0'));
    if (marks.final) {
        put(key::final, "1");
        put(key::count, std::to_string(marks.count));
        put(key::stream_sha256, marks.stream_sha256);
    }
}

void check_required_features(const Metadata& metadata, const std::string& place) {
    const auto required = metadata.find(key::require);
    if (required == metadata.end()) return;
    std::string unknown;
    std::string_view left = required->second;
    while (!left.empty()) {
        const std::string_view feature = left.substr(0, left.find(','));
        left.remove_prefix(std::min(left.size(), feature.size() + 1));
        if (!feature.empty()) unknown += (unknown.empty() ? "" : ", ") + json_quote(feature);
    }
    if (!unknown.empty()) throw Error(ExitCode::data, place, "needs features this build does not know: " + unknown, "use a newer build");
}

std::size_t find_header_digits(std::string_view frame) {
    // Inside a JSON string quotes are escaped: no text can imitate this.
    static const std::string marker = fmt::format("\"{}\":\"", key::header_sha256);
    const std::size_t first = frame.find(marker);
    if (first == std::string_view::npos || frame.find(marker, first + 1) != std::string_view::npos) return std::string_view::npos;
    const std::size_t digits = first + marker.size();
    return frame.size() - digits < digest_digits ? std::string_view::npos : digits;
}

std::string header_checksum(std::string_view frame, std::size_t digits) {
    Sha256 hash;
    hash.update(as_bytes(frame.substr(0, digits)));
    hash.update(as_bytes(std::string(digest_digits, '0')));
    hash.update(as_bytes(frame.substr(digits + digest_digits)));
    return hash.hex();
}

std::string sealed_frame(std::string_view header) {
    std::string frame = frame_of(header);
    const std::size_t digits = find_header_digits(frame);
    return frame.replace(digits, digest_digits, header_checksum(frame, digits));
}

}  // namespace lcm
