#include "lib/base/sha256.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/base/bytes.h"

using namespace lcm;

// The values are those of FIPS 180-4's examples.
TEST_CASE("digests of the standard's examples") {
    CHECK(sha256_hex({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex(as_bytes("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex(as_bytes(std::string(1'000'000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a digest can be taken on the way") {
    Sha256 hash;
    hash.update(as_bytes("ab"));
    CHECK(hash.hex() == sha256_hex(as_bytes("ab")));
    hash.update(as_bytes("c"));
    CHECK(hash.hex() == sha256_hex(as_bytes("abc")));
    hash = Sha256();
    CHECK(hash.hex() == sha256_hex({}));
}

TEST_CASE("two digests side by side are those of one after the other") {
    std::string text(2000, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 + i / 64);
    const auto data = as_bytes(text);
    for (const std::size_t first_size : {0u, 1u, 63u, 64u, 65u, 640u, 1999u})
        for (const std::size_t second_size : {0u, 1u, 64u, 129u, 1000u})
            for (const std::size_t begun : {0u, 3u, 63u, 64u}) {
                CAPTURE(first_size);
                Sha256 first, second, first_alone, second_alone;
                second.update(data.first(begun));
                second_alone.update(data.first(begun));
                Sha256::update_two(first, data.first(first_size), second, data.subspan(1, second_size));
                first_alone.update(data.first(first_size));
                second_alone.update(data.subspan(1, second_size));
                CHECK(first.hex() == first_alone.hex());
                CHECK(second.hex() == second_alone.hex());
            }
}
