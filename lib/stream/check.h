#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "lib/base/bytes.h"
#include "lib/stream/marks.h"

namespace lcm {

/// Where a record lies in its file, and what its header says.
struct RecordPlace {
    std::uint64_t seq = 0;     ///< number since the last final record
    std::uint64_t offset = 0;  ///< of its first byte, in the file
    std::uint64_t length = 0;  ///< bytes, header included
    std::string sha256;        ///< of its data, as the record states it
    Metadata metadata;         ///< without the writer's keys
};

/// What a check found in a whole stream.
struct CheckReport {
    std::string name;
    bool full = false;
    std::uint64_t records = 0, bytes = 0;             ///< records of every kind
    std::map<std::string, std::uint64_t> kinds = {};  ///< number by `lcm.kind`
};

/// Proves a stream's structure, its numbering, header checksums and end mark; with `full` also all other checksums and values. Without,
/// data is passed over: by seeking in a file, by reading from a pipe. Error records of one request are counted.
/// @param each  sees every record, before its data is looked at
/// @throws as `RecordReader`, for the first fault
CheckReport check_stream(std::unique_ptr<ByteSource> source, bool full, const std::function<void(const RecordPlace&)>& each = {});

/// For people: "a.lcms: ok, 3 records (2 cond, 1 end), 1234 bytes, all checksums". Ends in a newline.
std::string check_text(const CheckReport& report);
/// One JSON object on one line: {"bytes","file","full","kinds","ok":true,"records"}.
std::string check_json(const CheckReport& report);

/// A line of an index sidecar (`.lcmi`): {"id","kind","prompt","length","offset","seq","sha256","seed","size"}, without the keys
/// that the record lacks.
std::string index_line(const RecordPlace& place);

}  // namespace lcm
