#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/base/sha256.h"
#include "lib/stream/read_options.h"
#include "lib/stream/record.h"

namespace lcm {

/// The cause that came down the pipe in an error record; carries the upstream tool's own exit code.
class UpstreamError : public Error {
public:
    using Error::Error;
};

/// The failure that an error record tells of. @throws Error(data) when the record does not tell it properly
UpstreamError upstream_error(const Record& record);

/// Reads an lcm-stream record by record, in bounded memory; every rule of stream-format sections 2, 4, 8, 9 and 10 is checked.
/// A record above `limits().record` is Error(data), or Error(refused) where a policy set that limit.
class RecordReader {
public:
    /// Takes the source over.
    explicit RecordReader(std::unique_ptr<ByteSource> source, ReadOptions options = {});
    ~RecordReader();

    /// The next data or end record; nothing at the end of a stream whose last record was final.
    /// @throws Error(data) on any fault, on an empty stream and on one that ends without its final mark;
    ///         UpstreamError for an error record
    std::optional<Record> next();

    /// What the last data or end record states of its data (`lcm.sha256`).
    const std::string& data_sha256() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lcm
