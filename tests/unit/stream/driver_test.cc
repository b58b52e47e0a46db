#include <doctest/doctest.h>

#include "tests/unit/stream/builder.h"

using namespace lcm::test;

namespace {

// A stream of three records whose marks leave no byte without meaning.
const std::string& stream() {
    static const std::string bytes = written(three_records());
    return bytes;
}

std::size_t last_record_begins() {
    std::vector<lcm::Record> records = three_records();
    records.pop_back();
    return written(records).size() - 384;  // less the end record, whose header of 376 bytes stands in the specification
}

bool refused(const std::string& found) { return found.starts_with("65: ") || found.starts_with("77: "); }

std::size_t accepted_flips(std::size_t begin, std::size_t end) {
    std::size_t accepted = 0;
    std::string flipped = stream();
    for (std::size_t bit = 8 * begin; bit < 8 * end; ++bit) {
        const auto mask = static_cast<char>(1 << bit % 8);
        flipped[bit / 8] ^= mask;
        accepted += refused(verdict(flipped)) ? 0 : 1;
        flipped[bit / 8] ^= mask;
    }
    return accepted;
}

}  // namespace

TEST_CASE("the drivers' stream is good, in one piece and byte by byte") {
    CHECK(verdict(stream()) == "accepted");
    CHECK(verdict(dripping_source(stream())) == "accepted");
    CHECK(verdict(stream().substr(last_record_begins())).ends_with("key \"lcm.seq\": expected 0, found 2"));
}

TEST_CASE("row 19: a cut at each byte is seen") {
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < stream().size(); ++size) accepted += refused(verdict(stream().substr(0, size))) ? 0 : 1;
    CHECK(accepted == 0);
}

TEST_CASE("row 19: a cut at each byte is seen when bytes come one by one") {
    std::size_t accepted = 0;
    for (std::size_t size = 0; size < stream().size(); ++size)
        accepted += refused(verdict(dripping_source(stream().substr(0, size)))) ? 0 : 1;
    CHECK(accepted == 0);
}

TEST_CASE("row 20: each flipped bit of the first 4 KiB is seen") {
    CHECK(accepted_flips(0, std::min<std::size_t>(4096, stream().size())) == 0);
}

TEST_CASE("row 20: each flipped bit of the last record is seen") { CHECK(accepted_flips(last_record_begins(), stream().size()) == 0); }
