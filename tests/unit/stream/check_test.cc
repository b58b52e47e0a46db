#include "lib/stream/check.h"

#include <doctest/doctest.h>

#include "lib/base/json.h"
#include "lib/base/sha256.h"
#include "tests/unit/base/support.h"
#include "tests/unit/stream/builder.h"

using namespace lcm;
using namespace lcm::test;

namespace {

CheckReport checked(std::string_view stream, bool full = false) {
    return check_stream(source_from_memory(as_bytes(stream), "a.lcms"), full);
}

std::string fault(std::string_view stream, bool full) {
    return error_of([&] { checked(stream, full); });
}

std::vector<RecordPlace> places(std::string_view stream) {
    std::vector<RecordPlace> found;
    check_stream(source_from_memory(as_bytes(stream), "a.lcms"), false, [&](const RecordPlace& place) { found.push_back(place); });
    return found;
}

}  // namespace

TEST_CASE("a report counts records of every kind and all bytes") {
    const auto stream = written(three_records()) + written({example_record()});
    for (const bool full : {false, true}) {
        const auto report = checked(stream, full);
        CHECK(report.records == 5);
        CHECK(report.bytes == stream.size());
        CHECK(report.kinds == std::map<std::string, std::uint64_t>{{"cond", 1}, {"end", 1}, {"latent", 3}});
    }
    const auto drip = check_stream(dripping_source(stream), false);
    CHECK(drip.bytes == stream.size());
}

TEST_CASE("the texts of a report") {
    const auto stream = written(three_records());
    const auto size = std::to_string(stream.size());
    CHECK(check_text(checked(stream)) == "a.lcms: ok, 3 records (1 cond, 2 latent), " + size + " bytes, headers and end mark\n");
    CHECK(check_json(checked(stream, true)) ==
          "{\"bytes\":" + size + ",\"file\":\"a.lcms\",\"full\":true,\"kinds\":{\"cond\":1,\"latent\":2},\"ok\":true,\"records\":3}\n");
    CheckReport odd{.name = "a\x1b\n"};
    CHECK(check_text(odd).find('\x1b') == std::string::npos);
}

TEST_CASE("each place cuts its record out of the stream") {
    const auto stream = written(three_records()) + written({example_record()});
    std::uint64_t at = 0;
    std::string numbers;
    for (const auto& place : places(stream)) {
        CHECK(place.offset == at);
        at += place.length;
        numbers += std::to_string(place.seq);
    }
    CHECK(at == stream.size());
    CHECK(numbers == "01201");
}

TEST_CASE("an index line tells what the record has and no more") {
    auto record = example_record();
    record.set("lcm.id", "a\"b");
    record.set("lcm.seed", "18446744073709551615");
    record.final = true;
    const auto stream = written({record});
    const auto line = index_line(places(stream).front());
    const auto data = sha256_hex(record.tensor("latent").data);
    CHECK(line == "{\"id\":\"a\\\"b\",\"kind\":\"latent\",\"length\":" + std::to_string(stream.size()) +
                      ",\"offset\":0,\"seq\":0,\"sha256\":\"" + data + "\",\"seed\":\"18446744073709551615\"}\n");
}

TEST_CASE("a quick check passes over data, a full one reads it") {
    auto stream = written(three_records());
    stream.back() = static_cast<char>(stream.back() ^ 1);
    CHECK(fault(stream, false) == "nothing");
    CHECK(fault(stream, true).find("data checksum is wrong") != std::string::npos);
}

TEST_CASE("what both checks find") {
    const auto stream = written(three_records());
    auto changed = stream;
    changed[10] = static_cast<char>(changed[10] ^ 1);
    for (const bool full : {false, true}) {
        CHECK(fault(stream.substr(0, stream.size() - 1), full).find("truncated in the data") != std::string::npos);
        CHECK(fault(changed, full).find("record 0") != std::string::npos);
        CHECK(fault("", full).find("empty input") != std::string::npos);
        CHECK(fault(written({example_record()}).substr(0, 400), full).find("no end mark") != std::string::npos);
    }
}
