#include "lib/stream/stream_hash.h"

#include <doctest/doctest.h>

#include <memory>

#include "lib/base/sha256.h"
#include "tests/unit/base/support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// Bytes that differ from piece to piece.
std::shared_ptr<const Bytes> bytes(std::size_t count, std::size_t number) {
    Bytes made(count);
    for (std::size_t i = 0; i < count; i += 61) made[i] = static_cast<std::byte>(i + 7 * number);
    return std::make_shared<const Bytes>(std::move(made));
}

StreamHash::Piece piece(const std::shared_ptr<const Bytes>& data) { return {*data, data}; }

}  // namespace

TEST_CASE("records of any size give the digest of their bytes in order") {
    // Below and above what may wait.
    const std::size_t sizes[] = {0, 1, 100, 70'000, 5, 300'000, 300'000, 300'000, 10, 2 * mebibyte, 65'536, 25 * mebibyte, 3, 65'536};
    StreamHash hash;
    Sha256 expected;
    std::size_t number = 0;
    for (const std::size_t size : sizes) {
        const auto frame = bytes(400, ++number), data = bytes(size, ++number);
        hash.update({piece(frame), piece(data)});
        expected.update(*frame);
        expected.update(*data);
    }
    CHECK(hash.hex() == expected.hex());
    CHECK(hash.hex() == expected.hex());
    const auto more = bytes(100'000, 0);
    hash.update({piece(more)});
    expected.update(*more);
    CHECK(hash.hex() == expected.hex());
}

TEST_CASE("a stream that begins anew forgets what was before") {
    StreamHash hash;
    CHECK(hash.hex() == sha256_hex({}));
    const auto first = bytes(100'000, 1), second = bytes(80'000, 2);
    hash.update({piece(first)});
    hash.restart();
    CHECK(hash.hex() == sha256_hex({}));
    hash.update({piece(second)});
    CHECK(hash.hex() == sha256_hex(*second));
}

TEST_CASE("data hashed beside a waiting record gives both digests") {
    // Either may be the longer one, and pieces need not end together.
    for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{65'536}, std::size_t{200'000}}) {
        const auto frame = bytes(408, 1), before = bytes(70'000, 2), first = bytes(size, 3), second = bytes(900, 4);
        StreamHash hash;
        hash.update({piece(frame), piece(before)});
        Sha256 stream, data;
        for (const auto& part : {frame, before}) stream.update(*part);
        for (const auto& part : {first, second}) data.update(*part);
        CHECK(hash.digest_of({*first, *second}) == data.hex());
        CHECK(hash.hex() == stream.hex());
    }
}

TEST_CASE("one small record waits, a large one does not") {
    StreamHash hash;
    std::weak_ptr<const Bytes> small, next, large;
    const auto give = [&](std::weak_ptr<const Bytes>& seen, std::size_t size) {
        const auto data = bytes(size, size);
        seen = data;
        hash.update({piece(data)});
    };
    give(small, 100'000);
    CHECK(!small.expired());
    give(next, 50'000);
    CHECK(small.expired());
    CHECK(!next.expired());
    give(large, 25 * mebibyte);
    CHECK(next.expired());
    CHECK(large.expired());
}
