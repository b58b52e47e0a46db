#include "lib/stream/error_record.h"

#include <fmt/format.h>

#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/stream/keys.h"

namespace lcm {

namespace {

constexpr std::size_t longest_text = 4096;

std::string text_of(const Error& error, std::string_view tool) {
    const bool relayed = dynamic_cast<const UpstreamError*>(&error) != nullptr;
    std::string text = escape_control(relayed ? error.fault() : fmt::format("{}: {}", tool, error.what()));
    if (text.size() > longest_text) {
        text.resize(longest_text);
        while (!is_utf8(text)) text.pop_back();
    }
    return text;
}

}  // namespace

UpstreamError upstream_error(const Record& record) {
    const std::string& text = record.at(key::error_code);
    const auto code = parse_u64(text);
    if (!code || *code == 0 || *code > 255)
        throw Error(ExitCode::data, record.place, fmt::format("key \"{}\": {} is no exit code", key::error_code, json_quote(text)));
    return UpstreamError(static_cast<ExitCode>(*code), "upstream", record.at(key::error));
}

bool is_of_one_request(const Record& error_record) {
    const std::string* found = error_record.find(key::error_scope);
    if (found == nullptr || *found == scope::stream) return false;
    if (*found == scope::record) return true;
    throw Error(ExitCode::data, error_record.place, fmt::format("key \"{}\": {} is no scope", key::error_scope, json_quote(*found)));
}

Record make_error_record(const Error& error, std::string_view tool, std::string_view scope) {
    Record record;
    record.set(key::kind, std::string(kind::error));
    record.set(key::error_code, std::to_string(static_cast<int>(error.code())));
    record.set(key::error, text_of(error, tool));
    record.set(key::error_scope, std::string(scope));
    return record;
}

}  // namespace lcm
