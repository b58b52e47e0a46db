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
