#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/base/sha256.h"

namespace lcm {

/// The SHA-256 of a stream being written. A writer hashes all bytes twice, and needs the digest of a record's data before it knows the
/// record's header: so a small record waits here, and goes into the stream's digest beside the data of the next (`Sha256::update_two`).
class StreamHash {
public:
    /// A piece of the stream. `owner` keeps `data` alive and unchanged.
    struct Piece {
        std::span<const std::byte> data;
        std::shared_ptr<const void> owner;
    };

    /// Digest of the data of the record to come, as 64 lower-case hex digits.
    std::string digest_of(const std::vector<std::span<const std::byte>>& data);

    /// Appends a record.
    void update(std::vector<Piece> record);

    /// The digest of all that was appended since the beginning or the last call of `restart`, as 64 lower-case hex digits.
    std::string hex();

    /// Begins a new stream.
    void restart();

private:
    Sha256 hash_;
    std::vector<Piece> waiting_;
};

}  // namespace lcm
