#include "lib/stream/check.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/stream/keys.h"
#include "lib/stream/reader.h"

namespace lcm {
namespace {

/// Counts what has been read or passed over.
class CountedSource : public ByteSource {
public:
    CountedSource(std::unique_ptr<ByteSource> source, std::uint64_t& count) : source_(std::move(source)), count_(count) {}

    std::size_t read_some(std::span<std::byte> out) override {
        const auto got = source_->read_some(out);
        count_ += got;
        return got;
    }
    std::uint64_t skip(std::uint64_t bytes) override {
        const auto got = source_->skip(bytes);
        count_ += got;
        return got;
    }
    const std::string& name() const override { return source_->name(); }

private:
    std::unique_ptr<ByteSource> source_;
    std::uint64_t& count_;
};

/// What an index tells of a record, and under which name.
constexpr std::array<std::pair<const char*, std::string_view>, 3> indexed_before{
    {{"id", key::id}, {"kind", key::kind}, {"prompt", key::prompt}}};
constexpr std::array<std::pair<const char*, std::string_view>, 2> indexed_after{{{"seed", key::seed}, {"size", key::size}}};

ReadOptions options_of(bool full) {
    ReadOptions options;
    options.keep_going = true;
    options.headers_only = !full;
    return options;
}

template <class Names>
void append(std::string& text, const Record& record, const Names& names) {
    for (const auto& [name, key] : names)
        if (const auto* value = record.find(key)) text += fmt::format(",\"{}\":{}", name, json_quote(*value));
}

}  // namespace

CheckReport check_stream(std::unique_ptr<ByteSource> source, bool full, const std::function<void(const RecordPlace&)>& each) {
    CheckReport report;
    report.name = source->name();
    report.full = full;
    RecordReader reader(std::make_unique<CountedSource>(std::move(source), report.bytes), options_of(full));
    RecordPlace place;
    for (std::uint64_t before = 0; auto record = reader.next(); before = report.bytes) {
        ++report.records;
        ++report.kinds[record->at(key::kind)];
        const bool final = record->final;
        place.offset = before;
        place.length = report.bytes - before;
        place.sha256 = reader.data_sha256();
        place.record = *std::move(record);
        if (each) each(place);
        place.seq = final ? 0 : place.seq + 1;
    }
    return report;
}

std::string check_text(const CheckReport& report) {
    std::string kinds;
    for (const auto& [kind, count] : report.kinds) kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, kind);
    return fmt::format("{}: ok, {} record{} ({}), {} bytes, {}\n", escape_control(report.name), report.records, report.records == 1 ? "" : "s",
                       kinds, report.bytes, report.full ? "all checksums" : "headers and end mark");
}

std::string check_json(const CheckReport& report) {
    std::string kinds;
    for (const auto& [kind, count] : report.kinds) kinds += fmt::format("{}{}:{}", kinds.empty() ? "" : ",", json_quote(kind), count);
    return fmt::format("{{\"bytes\":{},\"file\":{},\"full\":{},\"kinds\":{{{}}},\"ok\":true,\"records\":{}}}\n", report.bytes,
                       json_quote(report.name), report.full, kinds, report.records);
}

std::string index_line(const RecordPlace& place) {
    std::string text;
    append(text, place.record, indexed_before);
    text += fmt::format(",\"length\":{},\"offset\":{},\"seq\":{},\"sha256\":{}", place.length, place.offset, place.seq, json_quote(place.sha256));
    append(text, place.record, indexed_after);
    return "{" + text.substr(1) + "}\n";
}

}  // namespace lcm
