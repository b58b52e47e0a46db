#include "lib/optimize/convert_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/number.h"

namespace lcm {

namespace {

/// Replaces the values of every member `key` that `is_old` accepts. Quotes in a JSON string are escaped, so no string looks like a key.
template <typename IsOld>
std::string with_value(std::string_view json, std::string_view key, const IsOld& is_old, std::string_view value) {
    constexpr std::string_view space = " \t\r\n", end_of_value = ",}] \t\r\n";
    const std::string member = fmt::format("\"{}\"", key);
    std::string changed;
    std::size_t copied = 0;
    for (std::size_t at = json.find(member); at != json.npos; at = json.find(member, at + member.size())) {
        const std::size_t colon = json.find_first_not_of(space, at + member.size());
        if (colon == json.npos || json[colon] != ':') continue;
        const std::size_t begin = std::min(json.find_first_not_of(space, colon + 1), json.size());
        const std::size_t end = std::min(json.find_first_of(end_of_value, begin), json.size());
        if (!is_old(json.substr(begin, end - begin))) continue;
        changed.append(json.substr(copied, begin - copied)).append(value);
        copied = end;
    }
    return changed.append(json.substr(copied));
}

}  // namespace

std::string with_dtype(std::string_view config, Dtype target) {
    const auto is_type = [](std::string_view value) {
        return value == R"("float32")" || value == R"("float16")" || value == R"("bfloat16")";
    };
    const char* type = target == Dtype::F16 ? R"("float16")" : target == Dtype::BF16 ? R"("bfloat16")" : R"("float32")";
    return with_value(with_value(config, "dtype", is_type, type), "torch_dtype", is_type, type);
}

std::string with_member(std::string_view object, std::string_view key, std::string_view value) {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t brace = object.find_first_not_of(space);
    if (brace == object.npos || object[brace] != '{') throw Error(ExitCode::data, "", "the configuration is no JSON object");
    const std::size_t next = object.find_first_not_of(space, brace + 1);
    const bool is_empty = next == object.npos || object[next] == '}';
    return fmt::format("{}\n  \"{}\": {}{}{}", object.substr(0, brace + 1), key, value, is_empty ? "" : ",", object.substr(brace + 1));
}

std::string with_total_size(std::string_view index, std::uint64_t bytes) {
    const auto is_number = [](std::string_view value) { return parse_u64(value).has_value(); };
    return with_value(index, "total_size", is_number, std::to_string(bytes));
}

}  // namespace lcm
