#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace lcm {

/// The keys that every writer makes anew, as values.
struct Marks {
    std::uint64_t seq = 0;
    std::string sha256, header_sha256;
    bool final = false;
    std::uint64_t count = 0;    ///< of a final record
    std::string stream_sha256;  ///< of a final record
};

using Metadata = std::map<std::string, std::string, std::less<>>;

/// Refuses metadata without `lcm.version` or of another major version. @throws Error(data) naming `place`
void check_version(const Metadata& metadata, const std::string& place);

/// Takes the writer's keys out of `metadata`. @throws Error(data) when one is missing or malformed
Marks take_marks(Metadata& metadata, const std::string& place);

/// Puts the keys of `marks` and `lcm.version` into `metadata`; the digits of `lcm.header_sha256` as zeros, to be filled in
/// when the text stands.
void put_marks(const Marks& marks, Metadata& metadata);

/// Refuses features in the list `lcm.require` that this build does not know (it knows none). @throws Error(data) naming each of them
void check_required_features(const Metadata& metadata, const std::string& place);

/// Where the 64 digits of `lcm.header_sha256` begin in a header's text; npos unless the key stands there exactly once.
std::size_t find_header_digits(std::string_view header);

/// SHA-256 of length and header, with the digits at `digits` taken as zeros.
std::string header_checksum(std::string_view header, std::size_t digits);

/// The 8 bytes in front of a header.
std::string length_bytes(std::string_view header);

}  // namespace lcm
