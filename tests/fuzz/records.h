#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "lib/stream/reader.h"
#include "lib/stream/writer.h"
#include "tests/fuzz/target.h"

namespace lcm::fuzz {

constexpr std::size_t largest_input = 65536;  // far below the limits, which the padding of a header could pass

inline std::vector<Record> read_records(std::span<const std::byte> stream, const ReadOptions& options = {}) {
    RecordReader reader(source_from_memory(stream, "memory"), options);
    std::vector<Record> records;
    while (auto record = reader.next()) records.push_back(std::move(*record));
    return records;
}

inline Bytes written(const std::vector<Record>& records) {
    Bytes stream;
    RecordWriter writer(sink_to_memory(stream, "memory"));
    for (const Record& record : records) writer.write(record);
    writer.finish();
    return stream;
}

inline bool same_record(const Record& a, const Record& b) {
    const auto same_tensor = [](const auto& one, const auto& other) {
        return one.first == other.first && one.second.dtype == other.second.dtype && one.second.shape == other.second.shape &&
               std::ranges::equal(one.second.data, other.second.data);
    };
    return a.final == b.final && a.metadata == b.metadata && std::ranges::equal(a.tensors, b.tensors, same_tensor);
}

}  // namespace lcm::fuzz
