#include "lib/stream/writer.h"

#include <fmt/format.h>

#include "lib/stream/error_record.h"
#include "lib/stream/header.h"
#include "lib/stream/keys.h"
#include "lib/stream/marks.h"
#include "lib/stream/stream_hash.h"

namespace lcm {

namespace {

Header header_of(const Record& record) {
    Header header;
    header.metadata = record.metadata;
    for (const auto& [name, tensor] : record.tensors) {
        if (byte_size(tensor.dtype, tensor.shape) != tensor.data.size())
            throw Error(ExitCode::software, "tensor " + name, "its bytes do not fit its shape");
        header.tensors.push_back({.name = name, .dtype = tensor.dtype, .shape = tensor.shape});
    }
    lay_out(header);
    return header;
}

/// A record's tensors in data order.
std::vector<const TensorBytes*> tensors_of(const Record& record, const Header& header) {
    std::vector<const TensorBytes*> tensors;
    for (const TensorEntry& entry : header.tensors) tensors.push_back(&record.tensors.find(entry.name)->second);
    return tensors;
}

bool counts(const Record& record) { return !record.is_end() && !record.is_error(); }

}  // namespace

struct RecordWriter::State {
    std::unique_ptr<ByteSink> sink;
    std::uint64_t next_seq = 0;  // since the last final record, as the next two
    std::uint64_t data_records = 0;
    StreamHash stream_hash;
    bool last_was_final = false;
    bool broken = false;  // a write has failed and left who knows how much of a record
    bool closed = false;

    void write(const Record& record);

private:
    Marks marks_of(const Record& record, const std::vector<const TensorBytes*>& tensors);
    void send(const std::vector<StreamHash::Piece>& pieces);
};

Marks RecordWriter::State::marks_of(const Record& record, const std::vector<const TensorBytes*>& tensors) {
    std::vector<std::span<const std::byte>> data;
    for (const TensorBytes* tensor : tensors) data.push_back(tensor->data);
    Marks marks{.seq = next_seq,
                .sha256 = stream_hash.digest_of(data),
                .header_sha256 = {},
                .final = record.final,
                .count = 0,
                .stream_sha256 = {}};
    if (!record.final) return marks;
    marks.count = data_records + (counts(record) ? 1 : 0);
    marks.stream_sha256 = stream_hash.hex();
    return marks;
}

void RecordWriter::State::send(const std::vector<StreamHash::Piece>& pieces) {
    std::vector<std::span<const std::byte>> parts;
    for (const auto& piece : pieces) parts.push_back(piece.data);
    broken = true;
    sink->write_parts(parts);
    broken = false;
}

void RecordWriter::State::write(const Record& record) {
    Header header = header_of(record);
    const auto tensors = tensors_of(record, header);
    put_marks(marks_of(record, tensors), header.metadata);
    const std::string text = format_header(header);
    // What no reader would take is not written: a prompt too long, a name with a control character.
    parse_header(text, HeaderLimits::stream(), fmt::format("{}: record {} header", sink->name(), next_seq));
    const auto frame = std::make_shared<const std::string>(sealed_frame(text));

    std::vector<StreamHash::Piece> pieces{{as_bytes(*frame), frame}};
    for (const TensorBytes* tensor : tensors) pieces.push_back({tensor->data, tensor->owner});
    send(pieces);

    last_was_final = record.final;
    if (record.final) {
        next_seq = data_records = 0;
        stream_hash.restart();
        return;
    }
    ++next_seq;
    data_records += counts(record) ? 1 : 0;
    stream_hash.update(std::move(pieces));
}

RecordWriter::RecordWriter(std::unique_ptr<ByteSink> sink) : state_(std::make_unique<State>()) { state_->sink = std::move(sink); }

RecordWriter::~RecordWriter() {
    if (!state_->closed) state_->sink->abandon();
}

void RecordWriter::write(const Record& record) {
    if (record.find(key::kind) == nullptr)
        throw Error(ExitCode::software, record.place, fmt::format("a record without \"{}\" was to be written", key::kind));
    if (record.is_end() && (!record.final || !record.tensors.empty()))
        throw Error(ExitCode::software, record.place, "an end record must be final and without tensors");
    if (record.is_error() && !is_of_one_request(record))
        throw Error(ExitCode::software, record.place, "an error record of a whole stream was to be written as one of its records");
    state_->write(record);
}

void RecordWriter::write_error(const Error& error, std::string_view tool, std::string_view id) {
    Record record = make_error_record(error, tool, scope::record);
    if (!id.empty()) record.set(key::id, std::string(id));
    state_->write(record);
}

void RecordWriter::finish() {
    if (!state_->last_was_final) {
        Record end;
        end.set(key::kind, std::string(kind::end));
        end.final = true;
        state_->write(end);
    }
    state_->sink->finish();
    state_->closed = true;
}

void RecordWriter::fail(const Error& error, std::string_view tool) noexcept {
    if (state_->closed) return;
    state_->closed = true;
    try {
        if (state_->sink->immediate() && !state_->broken) {
            state_->write(make_error_record(error, tool, scope::stream));
            state_->sink->finish();
        }
    } catch (...) {
        // The error itself is reported by the caller; a reader that has gone needs no record of it.
    }
    state_->sink->abandon();
}

}  // namespace lcm
