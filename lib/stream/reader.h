#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/bytes.h"
#include "lib/stream/error_record.h"
#include "lib/stream/read_options.h"
#include "lib/stream/record.h"

namespace lcm {

/// Reads an lcm-stream record by record, in bounded memory; every rule of stream-format sections 2, 4, 8, 9 and 10 is checked.
/// A record above `limits().record` is Error(data), or Error(refused) where a policy set that limit.
class RecordReader {
public:
    /// Takes the source over.
    explicit RecordReader(std::unique_ptr<ByteSource> source, ReadOptions options = {});
    ~RecordReader();

    /// The next data or end record, with `keep_going` also an error record of one request; nothing at the end of a stream whose last
    /// record was final. What was made of plain safetensors ends with a final record too.
    /// @throws Error(data) on any fault, on an empty stream and on one that ends without its final mark; Error(refused) for pickles,
    ///         zip archives and what a policy forbids; UpstreamError for an error record
    std::optional<Record> next();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lcm
