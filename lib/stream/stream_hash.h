#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace lcm {

/// The SHA-256 of a stream, computed by a thread of its own where the machine has a second processor: a reader and a writer hash
/// all bytes twice, and the digest of the stream is not needed before its end.
///
/// At most 24 MiB wait to be hashed. The thread starts with the first bytes worth it and ends with this object.
class StreamHash {
public:
    /// A piece of the stream. `owner` keeps `data` alive and unchanged.
    struct Piece {
        std::span<const std::byte> data;
        std::shared_ptr<const void> owner;
    };

    StreamHash();
    ~StreamHash();

    /// Appends a record. May return before it is hashed.
    void update(std::vector<Piece> record);

    /// The digest of all that was appended since the beginning or the last call of `restart`, as 64 lower-case hex digits.
    std::string hex();

    /// Begins a new stream.
    void restart();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lcm
