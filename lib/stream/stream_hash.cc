#include "lib/stream/stream_hash.h"

#include <algorithm>

namespace lcm {

namespace {

constexpr std::size_t most_waiting = std::size_t{24} << 20;  // a larger record is hashed at once: memory stays bounded

/// Goes through pieces as if they were one.
class Walk {
public:
    explicit Walk(std::vector<std::span<const std::byte>> pieces) : pieces_(std::move(pieces)) { pass_empty(); }

    /// What is left of the piece at hand; nothing at the end.
    std::span<const std::byte> ahead() const { return piece_ < pieces_.size() ? pieces_[piece_] : std::span<const std::byte>(); }

    std::span<const std::byte> take(std::size_t count) {
        const auto taken = ahead().first(count);
        if (piece_ < pieces_.size()) pieces_[piece_] = pieces_[piece_].subspan(count);
        pass_empty();
        return taken;
    }

private:
    void pass_empty() {
        while (piece_ < pieces_.size() && pieces_[piece_].empty()) ++piece_;
    }

    std::vector<std::span<const std::byte>> pieces_;
    std::size_t piece_ = 0;
};

std::vector<std::span<const std::byte>> data_of(const std::vector<StreamHash::Piece>& pieces) {
    std::vector<std::span<const std::byte>> data;
    for (const auto& piece : pieces) data.push_back(piece.data);
    return data;
}

}  // namespace

std::string StreamHash::digest_of(const std::vector<std::span<const std::byte>>& data) {
    Sha256 digest;
    Walk ours(data), waiting(data_of(waiting_));
    while (!ours.ahead().empty() || !waiting.ahead().empty()) {
        const std::size_t mine = ours.ahead().size(), other = waiting.ahead().size();
        const bool one_has_ended = mine == 0 || other == 0;
        const std::size_t both = std::min(mine, other);
        Sha256::update_two(digest, ours.take(one_has_ended ? mine : both), hash_, waiting.take(one_has_ended ? other : both));
    }
    waiting_.clear();
    return digest.hex();
}

void StreamHash::update(std::vector<Piece> record) {
    if (!waiting_.empty()) digest_of({});
    std::size_t bytes = 0;
    for (const Piece& piece : record) bytes += piece.data.size();
    waiting_ = std::move(record);
    if (bytes > most_waiting) digest_of({});
}

std::string StreamHash::hex() {
    digest_of({});
    return hash_.hex();
}

void StreamHash::restart() { *this = StreamHash(); }

}  // namespace lcm
