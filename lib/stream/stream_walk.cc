#include "lib/stream/stream_walk.h"

#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/stream/keys.h"
#include "lib/stream/values.h"

namespace lcm {

namespace {

[[noreturn]] void fail(const RecordHead& head, std::string what) { throw Error(ExitCode::data, head.place, std::move(what)); }

[[noreturn]] void fail_truncated(const RecordHead& head, std::uint64_t count) {
    fail(head, fmt::format("truncated in the data: {} of {} bytes", count, head.header.data_bytes));
}

}  // namespace

StreamWalk::StreamWalk(std::unique_ptr<ByteSource> source, ReadOptions options)
    : source_(std::move(source)), options_(std::move(options)) {}

std::string StreamWalk::place() const {
    const std::string record = fmt::format("record {}", records_);
    return source_->name() == standard_input_name ? record : source_->name() + ": " + record;
}

std::optional<RecordHead> StreamWalk::next() {
    auto head = read_head(*source_, options_, place());
    if (!head) {
        check_end();
        return std::nullopt;
    }
    head->offset = position_;
    if (!head->plain) check_sequence(*head);
    return head;
}

void StreamWalk::check_sequence(const RecordHead& head) {
    const Marks& marks = head.marks;
    if (marks.seq != next_seq_) fail(head, fmt::format("key \"{}\": expected {}, found {}", key::seq, next_seq_, marks.seq));
    if (!marks.final) return;
    const std::uint64_t seen = data_records_ + (head.is_data() ? 1 : 0);
    if (marks.count != seen) fail(head, fmt::format("key \"{}\": expected {}, found {}", key::count, seen, marks.count));
    if (options_.verify && !skipped_ && marks.stream_sha256 != stream_hash_.hex())
        fail(head, "stream checksum is wrong: records were changed, lost or put in");
}

// A final record stands outside the stream's own hash.
std::shared_ptr<const GrowingBuffer> StreamWalk::read_data(const RecordHead& head) {
    const auto buffer = std::make_shared<GrowingBuffer>();
    const bool verify = options_.verify && !head.plain;
    const bool in_stream = verify && !head.marks.final;
    Sha256 hash;
    if (in_stream) stream_hash_.update(as_bytes(head.frame));
    buffer->fill(*source_, head.header.data_bytes, [&](std::span<const std::byte> piece) {
        if (in_stream)
            Sha256::update_two(hash, piece, stream_hash_, piece);
        else if (verify)
            hash.update(piece);
    });
    if (buffer->bytes().size() < head.header.data_bytes) fail_truncated(head, buffer->bytes().size());
    if (verify && hash.hex() != head.marks.sha256) fail(head, "data checksum is wrong");
    std::byte more{};
    if (head.plain && source_->read_some({&more, 1}) != 0) fail(head, "bytes after the data, where a plain safetensors file ends");
    return buffer;
}

Record StreamWalk::take(RecordHead head) {
    const auto data = read_data(head);
    advance(head);
    Record record{.tensors = {}, .metadata = std::move(head.header.metadata), .final = head.marks.final, .place = std::move(head.place)};
    for (TensorEntry& entry : head.header.tensors) {
        const auto bytes = data->bytes().subspan(entry.begin, entry.end - entry.begin);
        record.tensors.emplace(std::move(entry.name), TensorBytes{entry.dtype, std::move(entry.shape), bytes, data});
    }
    if (!head.plain) check_values(record, options_.nan_pass);
    return record;
}

void StreamWalk::skip(const RecordHead& head) {
    const std::uint64_t count = source_->skip(head.header.data_bytes);
    if (count < head.header.data_bytes) fail_truncated(head, count);
    skipped_ = true;
    advance(head);
}

void StreamWalk::advance(const RecordHead& head) {
    position_ += head.length();
    ++records_;
    last_was_final_ = head.plain || head.marks.final;
    next_seq_ = last_was_final_ ? 0 : next_seq_ + 1;
    data_records_ = last_was_final_ ? 0 : data_records_ + (head.is_data() ? 1 : 0);
    if (!last_was_final_) return;
    skipped_ = false;
    stream_hash_ = Sha256();
}

void StreamWalk::check_end() const {
    if (records_ == 0) throw Error(ExitCode::data, source_->name(), "empty input", "the command that should have written it has failed");
    if (last_was_final_) return;
    throw Error(ExitCode::data, source_->name(), fmt::format("truncated: {} record{}, no end mark", records_, records_ == 1 ? "" : "s"));
}

}  // namespace lcm
