#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/base/sha256.h"
#include "lib/stream/record.h"

namespace lcm {

/// The cause that came down the pipe in an error record; carries the upstream tool's own exit code.
class UpstreamError : public Error {
public:
    using Error::Error;
};

/// Reads an lcm-stream record by record, in bounded memory; every rule of stream-format sections 2, 4, 8, 9 and 10 is checked.
class RecordReader {
public:
    /// Takes the source over.
    explicit RecordReader(std::unique_ptr<ByteSource> source);
    ~RecordReader();

    /// The next data or end record; nothing at the end of a stream whose last record was final.
    /// @throws Error(data) on any fault, on an empty stream and on one that ends without its final mark;
    ///         UpstreamError for an error record
    std::optional<Record> next();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lcm
