// A stream that is accepted can be written and is then read as the same records.

#include <algorithm>
#include <vector>

#include "lib/stream/reader.h"
#include "lib/stream/writer.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lcm;

constexpr std::size_t largest_input = 65536;  // far below the limits, which the padding of a header could pass

std::vector<Record> read_records(std::span<const std::byte> stream) {
    RecordReader reader(source_from_memory(stream, "memory"));
    std::vector<Record> records;
    while (auto record = reader.next()) records.push_back(std::move(*record));
    return records;
}

Bytes written(const std::vector<Record>& records) {
    Bytes stream;
    RecordWriter writer(sink_to_memory(stream, "memory"));
    for (const Record& record : records) writer.write(record);
    writer.finish();
    return stream;
}

bool same_tensor(const auto& a, const auto& b) {
    return a.first == b.first && a.second.dtype == b.second.dtype && a.second.shape == b.second.shape &&
           std::ranges::equal(a.second.data, b.second.data);
}

bool same_record(const Record& a, const Record& b) {
    const auto equal = [](const auto& one, const auto& other) { return same_tensor(one, other); };
    return a.final == b.final && a.metadata == b.metadata && std::ranges::equal(a.tensors, b.tensors, equal);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > largest_input) return 0;
    std::vector<Record> records;
    try {
        records = read_records(fuzz::bytes_of(data, size));
    } catch (const Error&) {
        return 0;
    }
    fuzz::expect(!records.empty() && records.back().final, "a stream that was accepted ends with its final mark");
    const Bytes stream = written(records);
    const std::vector<Record> again = read_records(stream);
    fuzz::expect(std::ranges::equal(records, again, same_record), "a stream that was accepted is read back equal");
    fuzz::expect(written(again) == stream, "equal records give equal bytes");
    return 0;
}
