#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/bytes.h"
#include "lib/base/sha256.h"
#include "lib/stream/growing_buffer.h"
#include "lib/stream/read_options.h"
#include "lib/stream/record.h"
#include "lib/stream/record_head.h"

namespace lcm {

/// Goes through a stream in bounded memory, record by record: a call of `next`, then one of `take` or `skip`. Checks each record, their
/// sequence and the end (stream-format, sections 8 to 10). What error records and plain safetensors mean is the caller's.
class StreamWalk {
public:
    StreamWalk(std::unique_ptr<ByteSource> source, ReadOptions options);

    /// The next head; nothing at the end of a stream whose last record was final.
    /// @throws Error(data) on any fault, on an empty stream and on one that ends without its final mark
    std::optional<RecordHead> next();

    /// Reads the data behind a head and checks it. The data of plain safetensors must end the input; their values are not checked.
    /// @throws Error(data)
    Record take(RecordHead head);

    /// Passes over the data without a look; the checksum of that stream then proves nothing and is not compared. @throws Error(data)
    void skip(const RecordHead& head);

    const ByteSource& source() const { return *source_; }

private:
    std::string place() const;
    void check_sequence(const RecordHead& head);
    std::shared_ptr<const GrowingBuffer> read_data(const RecordHead& head);
    void check_end() const;
    void advance(const RecordHead& head);

    std::unique_ptr<ByteSource> source_;
    ReadOptions options_;
    std::uint64_t position_ = 0;
    std::uint64_t records_ = 0;   // gone through so far
    std::uint64_t next_seq_ = 0;  // since the last final record, as the next three
    std::uint64_t data_records_ = 0;
    Sha256 stream_hash_;
    bool skipped_ = false;
    bool last_was_final_ = false;
};

}  // namespace lcm
