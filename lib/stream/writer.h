#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/stream/record.h"

namespace lcm {

/// Writes records in canonical form with `lcm.version`, `lcm.seq`, both checksums and, on final records, count and stream hash.
/// Equal records give equal bytes. Each record is flushed.
class RecordWriter {
public:
    /// Takes the sink over; a writer destroyed before `finish()` or `fail()` abandons it.
    explicit RecordWriter(std::unique_ptr<ByteSink> sink);
    ~RecordWriter();

    /// Writes one record; `record.final` makes it final. An end record must be final and without tensors. An error record must be one
    /// of a single request, as a reader with `keep_going` hands it out; it is passed on as it is.
    /// @throws Error(software) when a required key is missing, Error(io), BrokenPipe
    void write(const Record& record);

    /// Tells of one failed request: an error record of scope `record`, after which the stream goes on.
    /// @param id  `lcm.id` of the request, may be empty
    void write_error(const Error& error, std::string_view tool, std::string_view id);

    /// Closes the sink with a check. The last record written must have been final; else an end record is appended.
    void finish();

    /// Emits an error record when the sink is immediate (a pipe), and abandons an atomic file. Never throws.
    /// @param tool  name of the failing tool, put in front of the message
    void fail(const Error& error, std::string_view tool) noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Appends {tool, version, args} to `lcm.history` and sets `lcm.tool`; folds the oldest entries at 64 KiB (section 5).
/// @param args  the flags that matter to the result, in canonical order
/// @param time  ISO 8601, for the key "time"; empty: none
void add_history(Record& record, std::string_view tool, const std::vector<std::string>& args, std::string_view time = {});

}  // namespace lcm
