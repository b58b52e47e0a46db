// The low-level calls of libcrypto: they allocate nothing, look up nothing, and show the words that two lanes need.
#define OPENSSL_API_COMPAT 0x10101000L

#include "lib/base/sha256.h"

#include <openssl/sha.h>

#include <algorithm>

#include "lib/base/sha256_lanes.h"

namespace lcm {

struct Sha256::State {
    SHA256_CTX context;

    /// Bytes that are missing in the block begun.
    std::size_t missing() const { return context.num == 0 ? 0 : SHA256_CBLOCK - context.num; }

    /// Counts blocks that were taken past libcrypto.
    void count(std::size_t blocks) {
        const std::uint64_t bits = (std::uint64_t{context.Nh} << 32 | context.Nl) + std::uint64_t{blocks} * SHA256_CBLOCK * 8;
        context.Nl = static_cast<SHA_LONG>(bits);
        context.Nh = static_cast<SHA_LONG>(bits >> 32);
    }
};

Sha256::Sha256() : state_(std::make_unique<State>()) { SHA256_Init(&state_->context); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> data) {
    if (!data.empty()) SHA256_Update(&state_->context, data.data(), data.size());
}

void Sha256::update_two(Sha256& first, std::span<const std::byte> first_data, Sha256& second, std::span<const std::byte> second_data) {
    State &one = *first.state_, &two = *second.state_;
    if (has_sha256_lanes() && first_data.size() >= one.missing() && second_data.size() >= two.missing()) {
        const std::size_t one_skips = one.missing(), two_skips = two.missing();
        first.update(first_data.first(one_skips));
        second.update(second_data.first(two_skips));
        first_data = first_data.subspan(one_skips);
        second_data = second_data.subspan(two_skips);
        const std::size_t blocks = std::min(first_data.size(), second_data.size()) / SHA256_CBLOCK;
        sha256_two_lanes({Sha256Words(one.context.h), first_data.data()}, {Sha256Words(two.context.h), second_data.data()}, blocks);
        one.count(blocks);
        two.count(blocks);
        first_data = first_data.subspan(blocks * SHA256_CBLOCK);
        second_data = second_data.subspan(blocks * SHA256_CBLOCK);
    }
    first.update(first_data);
    second.update(second_data);
}

std::string Sha256::hex() const {
    SHA256_CTX closing = state_->context;
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_Final(digest, &closing);
    std::string text;
    text.reserve(2 * sizeof digest);
    for (const unsigned char byte : digest) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

std::string sha256_hex(std::span<const std::byte> data) {
    Sha256 hash;
    hash.update(data);
    return hash.hex();
}

}  // namespace lcm
