#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "lib/cli/batch_options.h"
#include "lib/cli/command.h"
#include "lib/cli/record_io.h"

namespace lcm::cli {

/// Checks what a filter is told of its input, its output and its batch, and lets the reader go on where the batch does.
/// @throws Error(usage)
template <class Output>
void check_filter(RecordInputOptions& input, Output& output, BatchOptions& batch) {
    input.reading.keep_going = batch.keep_going;
    input.check();
    output.check();
    batch.check();
}

/// What a tool does with one data record. @param number  of the record in the whole run, from 0 (`record_number`)
using RecordWork = std::function<void(Record& record, std::uint64_t number)>;

/// Works through a feed: passes end and error records on, leaves out records of other shards, and with `--keep-going` turns a failing
/// record into an error record, a failing input into a failure of the end.
///
/// @param settle  finishes what `work` has kept back; called before anything that stands behind it passes, and at the end
/// @return the code of the first record that failed, else ok
/// @throws Error: the first failure without `--keep-going`; for a failed input also with it, at the end, so that no final mark is written
ExitCode for_each_record(Context& context, RecordFeed& feed, const BatchOptions& batch, const RecordWork& work,
                         const std::function<void()>& settle = {});

/// Ends one record by `error`. With `--keep-going`, where the fault is the record's own, it is told here and to the next tool, by an error
/// record, and the work goes on. @param id  its `lcm.id`, may be empty. @throws `error` otherwise
void fail_record(Context& context, const BatchOptions& batch, const Error& error, const std::string& id);

/// The number of a record in the whole run: its `lcm.index` when a shard was taken before, else `count`.
/// @throws Error(data) when the key is no number
std::uint64_t record_number(const Record& record, std::uint64_t count);

}  // namespace lcm::cli
