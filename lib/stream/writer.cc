#include "lib/stream/writer.h"

#include <fmt/format.h>

#include "lib/base/sha256.h"
#include "lib/base/text.h"
#include "lib/stream/header.h"
#include "lib/stream/keys.h"
#include "lib/stream/marks.h"
#include "lib/stream/reader.h"
#include "lib/stream/stream_hash.h"

namespace lcm {

namespace {

constexpr std::size_t longest_error_text = 4096;

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

// The text that `fail` sends: one line, and never so long that the record is refused.
std::string error_text(const Error& error, std::string_view tool) {
    const bool relayed = dynamic_cast<const UpstreamError*>(&error) != nullptr;  // already names the tool that failed
    std::string text = escape_control(relayed ? error.fault() : fmt::format("{}: {}", tool, error.what()));
    if (text.size() > longest_error_text) {
        text.resize(longest_error_text);
        while (!is_utf8(text)) text.pop_back();
    }
    return text;
}

Record error_record(const Error& error, std::string_view tool, std::string_view scope) {
    Record record;
    record.set(key::kind, std::string(kind::error));
    record.set(key::error_code, std::to_string(static_cast<int>(error.code())));
    record.set(key::error, error_text(error, tool));
    record.set(key::error_scope, std::string(scope));
    return record;
}

}  // namespace

struct RecordWriter::State {
    std::unique_ptr<ByteSink> sink;
    std::uint64_t next_seq = 0;  // since the last final record, as the next two
    std::uint64_t data_records = 0;
    StreamHash stream_hash;
    bool last_was_final = false;
    bool broken = false;  // a write has failed and left who knows how much of a record
    bool closed = false;

    void write(const Record& record, bool counts);

private:
    std::string seal(const Record& record, Header& header, bool counts);
    void send(const std::vector<StreamHash::Piece>& pieces);
};

// The finished header text, marks and checksums filled in.
std::string RecordWriter::State::seal(const Record& record, Header& header, bool counts) {
    Sha256 data_hash;
    for (const TensorEntry& entry : header.tensors) data_hash.update(record.tensors.at(entry.name).data);
    Marks marks{.seq = next_seq, .sha256 = data_hash.hex(), .header_sha256 = {}, .final = record.final, .count = 0, .stream_sha256 = {}};
    if (record.final) {
        marks.count = data_records + (counts ? 1 : 0);
        marks.stream_sha256 = stream_hash.hex();
    }
    put_marks(marks, header.metadata);
    std::string text = format_header(header);
    const std::size_t digits = find_header_digits(text);
    const std::string checksum = header_checksum(text, digits);
    text.replace(digits, checksum.size(), checksum);
    return text;
}

void RecordWriter::State::send(const std::vector<StreamHash::Piece>& pieces) {
    std::vector<std::span<const std::byte>> parts;
    for (const auto& piece : pieces) parts.push_back(piece.data);
    broken = true;
    sink->write_parts(parts);
    broken = false;
}

void RecordWriter::State::write(const Record& record, bool counts) {
    Header header = header_of(record);
    const std::string text = seal(record, header, counts);
    // What no reader would take is not written: a prompt too long, a name with a control character.
    parse_header(text, HeaderLimits::stream(), fmt::format("{}: record {} header", sink->name(), next_seq));
    const auto frame = std::make_shared<const std::string>(length_bytes(text) + text);
    std::vector<StreamHash::Piece> pieces{{as_bytes(*frame), frame}};
    for (const TensorEntry& entry : header.tensors) {
        const TensorBytes& tensor = record.tensors.at(entry.name);
        pieces.push_back({tensor.data, tensor.owner});
    }
    send(pieces);

    last_was_final = record.final;
    if (record.final) {
        next_seq = data_records = 0;
        stream_hash.restart();
        return;
    }
    ++next_seq;
    data_records += counts ? 1 : 0;
    stream_hash.update(std::move(pieces));
}

RecordWriter::RecordWriter(std::unique_ptr<ByteSink> sink) : state_(std::make_unique<State>()) { state_->sink = std::move(sink); }

RecordWriter::~RecordWriter() {
    if (!state_->closed) state_->sink->abandon();
}

void RecordWriter::write(const Record& record) {
    const bool end = record.is_end();
    if (record.find(key::kind) == nullptr)
        throw Error(ExitCode::software, record.place, fmt::format("a record without \"{}\" was to be written", key::kind));
    if (end && (!record.final || !record.tensors.empty()))
        throw Error(ExitCode::software, record.place, "an end record must be final and without tensors");
    state_->write(record, !end && !record.is_error());
}

void RecordWriter::write_error(const Error& error, std::string_view tool, std::string_view id) {
    Record record = error_record(error, tool, scope::record);
    if (!id.empty()) record.set(key::id, std::string(id));
    state_->write(record, false);
}

void RecordWriter::finish() {
    if (!state_->last_was_final) {
        Record end;
        end.set(key::kind, std::string(kind::end));
        end.final = true;
        state_->write(end, false);
    }
    state_->sink->finish();
    state_->closed = true;
}

void RecordWriter::fail(const Error& error, std::string_view tool) noexcept {
    if (state_->closed) return;
    state_->closed = true;
    try {
        if (state_->sink->immediate() && !state_->broken) {
            state_->write(error_record(error, tool, scope::stream), false);
            state_->sink->finish();
        }
    } catch (...) {
        // The error itself is reported by the caller; a reader that has gone needs no record of it.
    }
    state_->sink->abandon();
}

}  // namespace lcm
