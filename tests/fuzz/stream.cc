// A stream that is accepted can be written and is then read as the same records; a quick check of it finds no fault either.

#include "lib/stream/check.h"
#include "tests/fuzz/records.h"

namespace {

using namespace lcm;

std::vector<Record> accepted(std::span<const std::byte> stream, bool keep_going) {
    try {
        return fuzz::read_records(stream, {.keep_going = keep_going});
    } catch (const Error&) {
        return {};
    }
}

void check(std::span<const std::byte> stream, bool keep_going) {
    const std::vector<Record> records = accepted(stream, keep_going);
    if (records.empty()) return;
    fuzz::expect(records.back().final, "a stream that was accepted ends with its final mark");
    const Bytes again = fuzz::written(records);
    const std::vector<Record> read = fuzz::read_records(again, {.keep_going = keep_going});
    fuzz::expect(std::ranges::equal(records, read, fuzz::same_record), "a stream that was accepted is read back equal");
    fuzz::expect(fuzz::written(read) == again, "equal records give equal bytes");
    const CheckReport report = check_stream(source_from_memory(stream, "memory"), false);
    fuzz::expect(report.records == records.size() && report.bytes == stream.size(), "a check counts what a reader reads");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > fuzz::largest_input) return 0;
    check(fuzz::bytes_of(data, size), false);
    check(fuzz::bytes_of(data, size), true);
    return 0;
}
