// Error records of one request, which a reader hands out when it is told to go on.
#include <doctest/doctest.h>

#include "lib/base/resource_limits.h"
#include "lib/stream/reader.h"
#include "lib/stream/writer.h"
#include "tests/unit/base/support.h"
#include "tests/unit/stream/builder.h"

using namespace lcm;
using namespace lcm::test;

namespace {

const Error cause(ExitCode::refused, "record 1", "is too large", "make it smaller");

// One good record, the failure of a second request, and another good record.
std::string stream_with_failure() {
    Bytes out;
    RecordWriter writer(sink_to_memory(out, "memory"));
    writer.write(example_record());
    writer.write_error(cause, "lcm-denoise", "apple");
    writer.write(example_record());
    writer.finish();
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

std::vector<Record> read(const std::string& stream, bool keep_going) {
    RecordReader reader(source_from_memory(as_bytes(stream), "memory"), {.keep_going = keep_going});
    std::vector<Record> records;
    while (auto record = reader.next()) records.push_back(std::move(*record));
    return records;
}

}  // namespace

TEST_CASE("the failure of a request comes as a record and the stream goes on") {
    const auto records = read(stream_with_failure(), true);
    REQUIRE(records.size() == 4);
    CHECK(records[1].is_error());
    CHECK(records[1].at("lcm.id") == "apple");
    CHECK(records[1].at("lcm.error_scope") == "record");
    CHECK(records[2].metadata == example_record().metadata);
    CHECK(records[3].is_end());
}

TEST_CASE("it tells its cause") {
    const auto error = upstream_error(read(stream_with_failure(), true).at(1));
    CHECK(error.code() == ExitCode::refused);
    CHECK(error.fault().find("is too large") != std::string::npos);
    CHECK(error.fault().find("lcm-denoise") != std::string::npos);
}

TEST_CASE("without being told to go on it is the end") {
    CHECK(error_of([] { read(stream_with_failure(), false); }).find("is too large") != std::string::npos);
}

TEST_CASE("the failure of a whole stream is the end in any case") {
    Bytes out;
    RecordWriter writer(sink_to_memory(out, "memory"));
    writer.write(example_record());
    writer.fail(cause, "lcm-denoise");
    const std::string stream(reinterpret_cast<const char*>(out.data()), out.size());
    CHECK(error_of([&] { read(stream, true); }).find("is too large") != std::string::npos);
}

TEST_CASE("a reader's stream with a failure in it is written again as it was") {
    const auto stream = stream_with_failure();
    CHECK(written(read(stream, true)) == stream);
}

TEST_CASE("a limit of bytes is a fault of the data, or a refusal where a policy set it") {
    const auto stream = written({example_record()});
    const auto usual = limits();
    for (const bool policy : {false, true}) {
        auto tight = usual;
        tight.record = 399;
        tight.record_by_policy = policy;
        set_limits(tight);
        const auto told = verdict(stream);
        CHECK(told.starts_with(policy ? "77" : "65"));
        CHECK(told.find("400 bytes, the limit is 399") != std::string::npos);
        tight.record = 400;
        set_limits(tight);
        CHECK(verdict(stream) == "accepted");
    }
    set_limits(usual);
}
