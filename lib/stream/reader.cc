#include "lib/stream/reader.h"

#include <deque>

#include "lib/stream/foreign.h"
#include "lib/stream/stream_walk.h"
#include "lib/stream/values.h"

namespace lcm {

struct RecordReader::State {
    ReadOptions options;
    StreamWalk walk;
    std::deque<Record> foreign;  // made from plain safetensors, not yet handed out

    State(std::unique_ptr<ByteSource> source, ReadOptions read_options)
        : options(std::move(read_options)), walk(std::move(source), options) {}

    std::optional<Record> next();

private:
    void read_foreign(RecordHead head);
};

void RecordReader::State::read_foreign(RecordHead head) {
    const bool announced = options.from_comfy || !options.assume_kind.empty();
    if (!announced || head.offset != 0) refuse_plain(head);
    for (Record& record : foreign_records(walk.take(std::move(head)), options)) {
        check_values(record, options.nan_pass);
        foreign.push_back(std::move(record));
    }
}

std::optional<Record> RecordReader::State::next() {
    if (foreign.empty()) {
        auto head = walk.next();
        if (!head) return std::nullopt;
        if (!head->plain) {
            Record record = walk.take(std::move(*head));
            if (record.is_error() && !(options.keep_going && is_of_one_request(record))) throw upstream_error(record);
            return record;
        }
        read_foreign(std::move(*head));
    }
    Record record = std::move(foreign.front());
    foreign.pop_front();
    return record;
}

RecordReader::RecordReader(std::unique_ptr<ByteSource> source, ReadOptions options)
    : state_(std::make_unique<State>(std::move(source), std::move(options))) {}
RecordReader::~RecordReader() = default;

std::optional<Record> RecordReader::next() { return state_->next(); }

}  // namespace lcm
