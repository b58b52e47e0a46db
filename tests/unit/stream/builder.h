#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/stream/record.h"

/// Builds streams for tests, good and bad, and says what the reader makes of them.
namespace lcm::test {

using Metadata = std::map<std::string, std::string>;

/// A tensor of floats, NaN and infinity included.
TensorBytes floats(std::vector<std::int64_t> shape, const std::vector<float>& values);

/// The record of the worked example (section 14): a latent of 0, 1, -1, 0.5.
Record example_record();

/// Three small records: conditioning with text and unknown parts, a latent, and a final one of type F16.
std::vector<Record> three_records();

/// What the writer makes of `records` and of closing the stream.
std::string written(const std::vector<Record>& records);

/// Length, header and data as they are: nothing is checked or filled in.
std::string raw_record(std::string_view header, std::string_view data = {});

/// The metadata of a stream of one final latent record.
Metadata final_marks();

/// The same of a first record that is not final.
Metadata first_marks();

/// A record with true checksums.
/// @param tensors  JSON members of the header beside `__metadata__`
std::string sealed(Metadata metadata, std::string_view tensors = {}, std::string_view data = {});

/// One final record around `tensors` and `data`, else without fault.
std::string around(std::string_view tensors, std::string_view data);

/// What a reader says: "accepted", or "code: message" of the first error.
std::string verdict(std::string_view stream);
std::string verdict(std::unique_ptr<ByteSource> source);

/// A source that gives at most one byte a read.
std::unique_ptr<ByteSource> dripping_source(std::string_view stream);

/// The records of a good stream.
std::vector<Record> read_all_records(std::string_view stream);

}  // namespace lcm::test
