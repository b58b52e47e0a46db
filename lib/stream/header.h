#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/stream/dtype.h"

namespace lcm {

/// One tensor of a safetensors header. `begin` and `end` count from the first data byte.
struct TensorEntry {
    std::string name;
    Dtype dtype = Dtype::F32;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0, end = 0;
};

/// What a header says: tensors in data order, metadata, and the number of data bytes that follow.
struct Header {
    std::vector<TensorEntry> tensors;
    std::map<std::string, std::string, std::less<>> metadata;
    std::uint64_t data_bytes = 0;
};

/// Limits of one kind of file (stream-format, sections 2 and 4); exceeding one is `Error(data)`.
struct HeaderLimits {
    std::uint64_t header_bytes;
    std::uint64_t tensors;
    std::uint64_t rank;
    std::uint64_t dimension;  ///< a dimension must be smaller
    std::uint64_t metadata_keys;
    std::uint64_t key_bytes;
    std::uint64_t value_bytes;
    std::uint64_t name_bytes;
    /// Takes tensor entries with more keys than three, and holes between tensors; the first of each is warned about.
    bool lenient = false;

    static HeaderLimits stream();                     ///< a record on a pipe
    static HeaderLimits model(bool lenient = false);  ///< a weight file
};

/// Parses and checks the N bytes of a header: first byte, padding, JSON, names, sizes, tiling. Everything but checksums.
/// @param place  what messages call it ("record 3 header", "model.safetensors")
/// @throws Error(data), one message per fault
Header parse_header(std::string_view text, const HeaderLimits& limits, const std::string& place);

/// Puts `header.tensors` into canonical order (element size descending, then name) and sets offsets and `data_bytes`.
void lay_out(Header& header);

/// The canonical text of a header (section 3), padded so that 8 + N is a multiple of 64. `tensors` must be in data order.
std::string format_header(const Header& header);

/// A header's text with its length in front, as both stand in a file.
std::string frame_of(std::string_view header);

}  // namespace lcm
