#include "lib/stream/stream_hash.h"

#include <doctest/doctest.h>

#include <unistd.h>

#include <algorithm>
#include <csignal>

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
    // Below and above what is worth a thread, more than may wait, and more than may ever wait.
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

TEST_CASE("few bytes wait, and none are kept behind their turn") {
    std::vector<std::weak_ptr<const Bytes>> given;
    StreamHash hash;
    std::size_t most = 0;
    for (std::size_t i = 0; i < 200; ++i) {
        const auto data = bytes(100'000, i);
        given.push_back(data);
        hash.update({piece(data)});
        most = std::max(most, static_cast<std::size_t>(std::ranges::count_if(given, [](const auto& one) { return !one.expired(); })));
    }
    CHECK(most <= 8);
    hash.hex();
    CHECK(std::ranges::all_of(given, [](const auto& one) { return one.expired(); }));
}

TEST_CASE("a hash that nobody asks for may be dropped with work waiting") {
    for (std::size_t i = 0; i < 20; ++i) {
        StreamHash hash;
        hash.update({piece(bytes(400'000, i))});
        hash.update({piece(bytes(100'000, i))});
    }
}

TEST_CASE("signals stay with the thread that reads and writes") {
    sigset_t before, after;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
    StreamHash hash;
    hash.update({piece(bytes(100'000, 0))});
    ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
    CHECK(::sigismember(&before, SIGINT) == ::sigismember(&after, SIGINT));
    // A signal to the process that this thread keeps off must stay pending: the other thread may not take it.
    sigset_t interrupt, pending;
    ::sigemptyset(&interrupt);
    ::sigaddset(&interrupt, SIGUSR2);
    ::pthread_sigmask(SIG_BLOCK, &interrupt, &before);
    ::kill(::getpid(), SIGUSR2);
    hash.hex();
    ::sigpending(&pending);
    CHECK(::sigismember(&pending, SIGUSR2) == 1);
    int taken = 0;
    ::sigwait(&interrupt, &taken);
    CHECK(taken == SIGUSR2);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}
