#include "lib/stream/record_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/resource_limits.h"
#include "lib/stream/growing_buffer.h"
#include "lib/stream/keys.h"
#include "lib/stream/sniff.h"

namespace lcm {

namespace {

constexpr std::array<std::string_view, 6> kinds{kind::latent, kind::cond, kind::noise, kind::image, kind::end, kind::error};

[[noreturn]] void fail(const std::string& place, std::string what) { throw Error(ExitCode::data, place, std::move(what)); }

using LengthBytes = std::array<std::byte, sizeof(std::uint64_t)>;

// The 8 bytes in front of a header; nothing at the end of the input.
std::optional<LengthBytes> read_length(ByteSource& source, const std::string& place) {
    LengthBytes bytes{};
    const std::size_t count = source.read_full(bytes);
    if (count == 0) return std::nullopt;
    const auto length = std::bit_cast<std::uint64_t>(bytes);
    const std::uint64_t limit = HeaderLimits::stream().header_bytes;
    if (count == bytes.size() && length >= 2 && length <= limit) return bytes;
    refuse_foreign(std::span(bytes).first(count), place);
    if (count < bytes.size()) fail(place, fmt::format("truncated length: {} of {} bytes", count, bytes.size()));
    fail(place, fmt::format("header length {} is not between 2 and {}", length, limit));
}

std::string read_frame(ByteSource& source, const LengthBytes& length, const std::string& place) {
    const auto wanted = std::bit_cast<std::uint64_t>(length);
    GrowingBuffer buffer;
    buffer.fill(source, wanted, [](auto) {});
    const auto header = buffer.bytes();
    if (header.size() < wanted) fail(place, fmt::format("truncated in the header: {} of {} bytes", header.size(), wanted));
    std::string frame;
    frame.reserve(length.size() + header.size());
    frame.append(reinterpret_cast<const char*>(length.data()), length.size());
    return frame.append(reinterpret_cast<const char*>(header.data()), header.size());
}

void check_length(const RecordHead& head) {
    const Limits& allowed = limits();
    if (head.length() <= allowed.record) return;
    throw Error(allowed.record_by_policy ? ExitCode::refused : ExitCode::data, head.place,
                fmt::format("{} bytes, the limit is {}", head.length(), allowed.record),
                allowed.record_by_policy ? "the policy of this machine sets it" : "raise it with --limit record=SIZE");
}

void check_header_checksum(const RecordHead& head) {
    const std::size_t digits = find_header_digits(head.frame);
    if (digits == std::string::npos) fail(head.place, fmt::format("key \"{}\" is missing or malformed", key::header_sha256));
    const auto recorded = head.header.metadata.find(key::header_sha256);
    if (recorded == head.header.metadata.end() || recorded->second != header_checksum(head.frame, digits))
        fail(head.place, "header checksum is wrong");
}

void check_kind(const RecordHead& head) {
    const auto found = head.header.metadata.find(key::kind);
    if (found == head.header.metadata.end()) fail(head.place, fmt::format("key \"{}\" is missing", key::kind));
    if (std::find(kinds.begin(), kinds.end(), found->second) == kinds.end())
        fail(head.place, fmt::format("key \"{}\": {} is no kind of record", key::kind, json_quote(found->second)));
    if (found->second != kind::end) return;
    if (!head.marks.final) fail(head.place, "end record without its final mark");
    if (!head.header.tensors.empty()) fail(head.place, "end record with tensors");
}

bool has_no_key_of_ours(const Metadata& metadata) {
    const auto first = metadata.lower_bound(key::prefix);
    return first == metadata.end() || !first->first.starts_with(key::prefix);
}

}  // namespace

const std::string& RecordHead::kind() const { return header.metadata.find(key::kind)->second; }

bool RecordHead::is_data() const { return kind() != kind::end && kind() != kind::error; }

std::optional<RecordHead> read_head(ByteSource& source, const ReadOptions& options, const std::string& place) {
    const auto length = read_length(source, place);
    if (!length) return std::nullopt;
    RecordHead head;
    head.place = place;
    head.frame = read_frame(source, *length, place);
    head.header = parse_header(std::string_view(head.frame).substr(length->size()), HeaderLimits::stream(), place + " header");
    check_length(head);
    head.plain = has_no_key_of_ours(head.header.metadata);
    if (head.plain) return head;
    check_version(head.header.metadata, place);
    if (options.verify) check_header_checksum(head);
    check_required_features(head.header.metadata, place);
    head.marks = take_marks(head.header.metadata, place, options.verify);
    check_kind(head);
    return head;
}

}  // namespace lcm
