#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/stream/header.h"
#include "lib/stream/marks.h"
#include "lib/stream/read_options.h"

namespace lcm {

/// What stands in front of a record's data.
struct RecordHead {
    std::string place;         ///< "a.lcms: record 3", for messages
    std::uint64_t offset = 0;  ///< of the record's first byte in the input
    std::string frame;         ///< the length bytes and the header's text, as they came
    Header header;             ///< without the writer's keys
    Marks marks;
    bool plain = false;  ///< safetensors without any `lcm.` key; nothing but the header's own structure was checked

    /// `lcm.kind`; not for plain ones.
    const std::string& kind() const;
    /// False for end and error records, which `lcm.count` leaves out.
    bool is_data() const;
    /// Bytes of the whole record.
    std::uint64_t length() const { return frame.size() + header.data_bytes; }
};

/// Reads a head and checks all that can be told by it alone: structure, limits, version, header checksum, required features, marks, kind.
/// @param place  of the record, for messages
/// @return nothing at the end of the input
/// @throws Error(data) on any fault; Error(refused) for pickles, zip archives and records beyond a limit of a policy
std::optional<RecordHead> read_head(ByteSource& source, const ReadOptions& options, const std::string& place);

}  // namespace lcm
