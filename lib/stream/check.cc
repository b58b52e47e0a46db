#include "lib/stream/check.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/stream/error_record.h"
#include "lib/stream/foreign.h"
#include "lib/stream/keys.h"
#include "lib/stream/stream_walk.h"

namespace lcm {
namespace {

/// What an index tells of a record, and under which name.
constexpr std::array<std::pair<const char*, std::string_view>, 3> indexed_before{
    {{"id", key::id}, {"kind", key::kind}, {"prompt", key::prompt}}};
constexpr std::array<std::pair<const char*, std::string_view>, 2> indexed_after{{{"seed", key::seed}, {"size", key::size}}};

template <class Names>
void append(std::string& text, const Metadata& metadata, const Names& names) {
    for (const auto& [name, key] : names)
        if (const auto found = metadata.find(key); found != metadata.end())
            text += fmt::format(",\"{}\":{}", name, json_quote(found->second));
}

void expect_one_request(const Record& error_record) {
    auto failure = upstream_error(error_record);
    if (!is_of_one_request(error_record)) throw failure;
}

}  // namespace

CheckReport check_stream(std::unique_ptr<ByteSource> source, bool full, const std::function<void(const RecordPlace&)>& each) {
    StreamWalk walk(std::move(source), {});
    CheckReport report{.name = walk.source().name(), .full = full};
    while (auto head = walk.next()) {
        if (head->plain) refuse_plain(*head);
        const bool is_error = head->kind() == kind::error;
        ++report.records;
        ++report.kinds[head->kind()];
        report.bytes = head->offset + head->length();
        if (each) each({head->marks.seq, head->offset, head->length(), head->marks.sha256, head->header.metadata});
        if (!full && !is_error) {
            walk.skip(*head);
            continue;
        }
        const Record record = walk.take(std::move(*head));
        if (is_error) expect_one_request(record);
    }
    return report;
}

std::string check_text(const CheckReport& report) {
    std::string kinds;
    for (const auto& [kind, count] : report.kinds) kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, kind);
    return fmt::format("{}: ok, {} record{} ({}), {} bytes, {}\n", escape_control(report.name), report.records,
                       report.records == 1 ? "" : "s", kinds, report.bytes, report.full ? "all checksums" : "headers and end mark");
}

std::string check_json(const CheckReport& report) {
    std::string kinds;
    for (const auto& [kind, count] : report.kinds) kinds += fmt::format("{}{}:{}", kinds.empty() ? "" : ",", json_quote(kind), count);
    return fmt::format("{{\"bytes\":{},\"file\":{},\"full\":{},\"kinds\":{{{}}},\"ok\":true,\"records\":{}}}\n", report.bytes,
                       json_quote(report.name), report.full, kinds, report.records);
}

std::string index_line(const RecordPlace& place) {
    std::string text;
    append(text, place.metadata, indexed_before);
    text += fmt::format(",\"length\":{},\"offset\":{},\"seq\":{},\"sha256\":{}", place.length, place.offset, place.seq,
                        json_quote(place.sha256));
    append(text, place.metadata, indexed_after);
    return "{" + text.substr(1) + "}\n";
}

}  // namespace lcm
