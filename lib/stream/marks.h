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

/// Refuses metadata with keys of ours, one at least, but without `lcm.version` or of another major version. @throws Error(data) naming
/// `place`
void check_version(const Metadata& metadata, const std::string& place);

/// Takes the writer's keys out of `metadata`. @throws Error(data) when one is missing or malformed
/// @param checksums  false: those may be missing
Marks take_marks(Metadata& metadata, const std::string& place, bool checksums = true);

/// Puts the keys of `marks` and `lcm.version` into `metadata`; the digits of `lcm.header_sha256` as zeros, to be filled in
/// when the text stands.
void put_marks(const Marks& marks, Metadata& metadata);

/// Refuses features in the list `lcm.require` that this build does not know (it knows none). @throws Error(data) naming each of them
void check_required_features(const Metadata& metadata, const std::string& place);

/// The same as `frame_of`, with the header checksum in its place.
std::string sealed_frame(std::string_view header);

/// Where the 64 digits of `lcm.header_sha256` begin in a frame; npos unless the key stands there exactly once.
std::size_t find_header_digits(std::string_view frame);

/// SHA-256 of a frame, with the digits at `digits` taken as zeros.
std::string header_checksum(std::string_view frame, std::size_t digits);

}  // namespace lcm
