#include "lib/stream/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <deque>

#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/base/resource_limits.h"
#include "lib/stream/foreign.h"
#include "lib/stream/growing_buffer.h"
#include "lib/stream/header.h"
#include "lib/stream/keys.h"
#include "lib/stream/marks.h"
#include "lib/stream/sniff.h"
#include "lib/stream/stream_hash.h"
#include "lib/stream/values.h"

namespace lcm {

namespace {

constexpr std::array<std::string_view, 6> kinds{kind::latent, kind::cond, kind::noise, kind::image, kind::end, kind::error};

bool is_data(std::string_view kind_of_record) { return kind_of_record != kind::end && kind_of_record != kind::error; }

const std::string& required(const Metadata& metadata, std::string_view key, const std::string& place) {
    const auto found = metadata.find(key);
    if (found == metadata.end()) throw Error(ExitCode::data, place, fmt::format("key \"{}\" is missing", key));
    return found->second;
}

/// True for an error record of one request, after which the stream goes on.
bool is_of_one_record(const Record& record) {
    const auto* scope = record.find(key::error_scope);
    if (scope == nullptr || *scope == scope::stream) return false;
    if (*scope == scope::record) return true;
    throw Error(ExitCode::data, record.place, fmt::format("key \"{}\": {} is no scope", key::error_scope, json_quote(*scope)));
}

}  // namespace

UpstreamError upstream_error(const Record& record) {
    const std::string& text = required(record.metadata, key::error_code, record.place);
    const auto code = parse_u64(text);
    if (!code || *code == 0 || *code > 255)
        throw Error(ExitCode::data, record.place, fmt::format("key \"{}\": {} is no exit code", key::error_code, json_quote(text)));
    return UpstreamError(static_cast<ExitCode>(*code), "upstream", required(record.metadata, key::error, record.place));
}

struct RecordReader::State {
    std::unique_ptr<ByteSource> source;
    ReadOptions options;
    HeaderLimits limits = HeaderLimits::stream();
    std::string place;           // of the record being read
    std::uint64_t records = 0;   // read so far
    std::uint64_t next_seq = 0;  // since the last final record, as the next two
    std::uint64_t data_records = 0;
    StreamHash stream_hash;
    bool last_was_final = false;
    std::string data_sha256;     // of the last record
    std::deque<Record> foreign;  // made from a file of another kind, not yet handed out

    std::optional<Record> next();

private:
    [[noreturn]] void fail(std::string what) const { throw Error(ExitCode::data, place, std::move(what)); }

    std::optional<std::uint64_t> read_length();
    std::string read_header(std::uint64_t length);
    void check_header(const Header& header, const std::string& text) const;
    void check_kind(const Header& header, const Marks& marks) const;
    void check_sequence(const Marks& marks, bool counts);
    std::shared_ptr<GrowingBuffer> read_data(const Header& header, const Marks& marks);
    void hash_record(const std::string& text, const std::shared_ptr<GrowingBuffer>& data);
    std::shared_ptr<GrowingBuffer> skip_data(const Header& header);
    void check_end() const;
    void read_foreign(const Header& header);
    Record take_foreign();
};

// The 8 bytes in front of a header; nothing at the end of the input.
std::optional<std::uint64_t> RecordReader::State::read_length() {
    std::array<std::byte, sizeof(std::uint64_t)> bytes{};
    const std::size_t count = source->read_full(bytes);
    if (count == 0) return std::nullopt;
    const auto length = std::bit_cast<std::uint64_t>(bytes);
    if (count == bytes.size() && length >= 2 && length <= limits.header_bytes) return length;
    refuse_foreign(std::span(bytes).first(count), place);
    if (count < bytes.size()) fail(fmt::format("truncated length: {} of {} bytes", count, bytes.size()));
    fail(fmt::format("header length {} is not between 2 and {}", length, limits.header_bytes));
}

std::string RecordReader::State::read_header(std::uint64_t length) {
    GrowingBuffer buffer;
    buffer.fill(*source, length, [](auto) {});
    const auto bytes = buffer.bytes();
    if (bytes.size() < length) fail(fmt::format("truncated in the header: {} of {} bytes", bytes.size(), length));
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void RecordReader::State::check_header(const Header& header, const std::string& text) const {
    const std::uint64_t total = sizeof(std::uint64_t) + text.size() + header.data_bytes;  // each far below 2^63
    if (const auto& allowed = lcm::limits(); total > allowed.record)
        throw Error(allowed.record_by_policy ? ExitCode::refused : ExitCode::data, place,
                    fmt::format("{} bytes, the limit is {}", total, allowed.record), "raise it with --limit record=...");
    check_version(header.metadata, place);
    const std::size_t digits = find_header_digits(text);
    if (digits == std::string_view::npos) fail(fmt::format("key \"{}\" is missing or malformed", key::header_sha256));
    if (options.verify && required(header.metadata, key::header_sha256, place) != header_checksum(text, digits))
        fail("header checksum is wrong");
    check_required_features(header.metadata, place);
}

void RecordReader::State::check_kind(const Header& header, const Marks& marks) const {
    const std::string& found = required(header.metadata, key::kind, place);
    if (std::find(kinds.begin(), kinds.end(), found) == kinds.end())
        fail(fmt::format("key \"{}\": {} is no kind of record", key::kind, json_quote(found)));
    if (found == kind::end && !marks.final) fail("end record without its final mark");
    if (found == kind::end && !header.tensors.empty()) fail("end record with tensors");
}

void RecordReader::State::check_sequence(const Marks& marks, bool counts) {
    if (marks.seq != next_seq) fail(fmt::format("key \"{}\": expected {}, found {}", key::seq, next_seq, marks.seq));
    if (!marks.final) return;
    const std::uint64_t seen = data_records + (counts ? 1 : 0);
    if (marks.count != seen) fail(fmt::format("key \"{}\": expected {}, found {}", key::count, seen, marks.count));
    if (options.verify && !options.headers_only && marks.stream_sha256 != stream_hash.hex())
        fail("stream checksum is wrong: records were changed, lost or put in");
}

std::shared_ptr<GrowingBuffer> RecordReader::State::read_data(const Header& header, const Marks& marks) {
    const auto buffer = std::make_shared<GrowingBuffer>();
    Sha256 data_hash;
    buffer->fill(*source, header.data_bytes, [&](std::span<const std::byte> piece) {
        if (options.verify) data_hash.update(piece);
    });
    if (buffer->bytes().size() < header.data_bytes)
        fail(fmt::format("truncated in the data: {} of {} bytes", buffer->bytes().size(), header.data_bytes));
    if (options.verify && data_hash.hex() != marks.sha256) fail("data checksum is wrong");
    return buffer;
}

void RecordReader::State::hash_record(const std::string& text, const std::shared_ptr<GrowingBuffer>& data) {
    const auto frame = std::make_shared<const std::string>(length_bytes(text) + text);
    stream_hash.update({{as_bytes(*frame), frame}, {data->bytes(), data}});
}

// The whole of a plain safetensors file, where it was announced.
void RecordReader::State::read_foreign(const Header& header) {
    if (options.assume_kind.empty() && !options.from_comfy)
        throw Error(ExitCode::data, place, "is plain safetensors, not an lcm-stream record", foreign_fix(header));
    const auto buffer = std::make_shared<GrowingBuffer>();
    buffer->fill(*source, header.data_bytes, [](auto) {});
    if (buffer->bytes().size() < header.data_bytes)
        fail(fmt::format("truncated in the data: {} of {} bytes", buffer->bytes().size(), header.data_bytes));
    std::byte more{};
    if (source->read_full({&more, 1}) != 0) fail("bytes after the data, where a plain safetensors file ends");
    for (auto& record : foreign_records(header, buffer->bytes(), buffer, options, place)) foreign.push_back(std::move(record));
}

Record RecordReader::State::take_foreign() {
    Record record = std::move(foreign.front());
    foreign.pop_front();
    ++records;
    last_was_final = record.final;
    return record;
}

std::shared_ptr<GrowingBuffer> RecordReader::State::skip_data(const Header& header) {
    const auto skipped = source->skip(header.data_bytes);
    if (skipped < header.data_bytes) fail(fmt::format("truncated in the data: {} of {} bytes", skipped, header.data_bytes));
    return nullptr;
}

void RecordReader::State::check_end() const {
    if (records == 0) throw Error(ExitCode::data, source->name(), "empty input", "the command that should have written it has failed");
    if (!last_was_final)
        throw Error(ExitCode::data, source->name(), fmt::format("truncated: {} record{}, no end mark", records, records == 1 ? "" : "s"));
}

std::optional<Record> RecordReader::State::next() {
    const std::string number = fmt::format("record {}", records);
    place = source->name() == standard_input_name ? number : source->name() + ": " + number;
    if (!foreign.empty()) return take_foreign();
    const auto length = read_length();
    if (!length) {
        check_end();
        return std::nullopt;
    }
    const std::string text = read_header(*length);
    Header header = parse_header(text, limits, place + " header");
    if (records == 0 && is_foreign(header)) {
        read_foreign(header);
        return take_foreign();
    }
    check_header(header, text);
    const Marks marks = take_marks(header.metadata, place);
    check_kind(header, marks);
    const std::string kind_of_record = header.metadata.at(std::string(key::kind));
    check_sequence(marks, is_data(kind_of_record));
    data_sha256 = marks.sha256;
    const auto data = options.headers_only ? skip_data(header) : read_data(header, marks);
    // A final record stands outside the stream's own hash.
    if (options.verify && !options.headers_only && !marks.final) hash_record(text, data);

    Record record{.tensors = {}, .metadata = std::move(header.metadata), .final = marks.final, .place = place};
    for (TensorEntry& entry : header.tensors) {
        const auto bytes =
            options.headers_only ? std::span<const std::byte>() : data->bytes().subspan(entry.begin, entry.end - entry.begin);
        record.tensors.emplace(std::move(entry.name), TensorBytes{entry.dtype, std::move(entry.shape), bytes, data});
    }
    if (!options.headers_only) check_values(record, options.nan_pass);
    if (record.is_error() && !(options.keep_going && is_of_one_record(record))) throw upstream_error(record);
    ++records;
    last_was_final = marks.final;
    next_seq = marks.final ? 0 : next_seq + 1;
    data_records = marks.final ? 0 : data_records + (is_data(kind_of_record) ? 1 : 0);
    if (marks.final) stream_hash.restart();
    return record;
}

RecordReader::RecordReader(std::unique_ptr<ByteSource> source, ReadOptions options) : state_(std::make_unique<State>()) {
    state_->source = std::move(source);
    state_->options = std::move(options);
}
RecordReader::~RecordReader() = default;

std::optional<Record> RecordReader::next() { return state_->next(); }
const std::string& RecordReader::data_sha256() const { return state_->data_sha256; }

}  // namespace lcm
