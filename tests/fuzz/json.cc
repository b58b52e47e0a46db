// JSON that is accepted can be written and is then read as the same value.

#include "lib/base/json.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lcm;

bool same(const Json& a, const Json& b);

bool same_number(const Json& a, const Json& b) {
    // A whole double is written as an integer, so the two may differ in type.
    return a.is_integer() && b.is_integer() ? a.as_integer() == b.as_integer() : a.as_number() == b.as_number();
}

bool same_list(const Json::Array& a, const Json::Array& b) { return std::ranges::equal(a, b, same); }

bool same_object(const Json::Object& a, const Json::Object& b) {
    return std::ranges::equal(
        a, b, [](const auto& one, const auto& other) { return one.first == other.first && same(one.second, other.second); });
}

bool same(const Json& a, const Json& b) {
    if (a.is_null()) return b.is_null();
    if (a.is_bool()) return b.is_bool() && a.as_bool() == b.as_bool();
    if (a.is_number()) return b.is_number() && same_number(a, b);
    if (a.is_string()) return b.is_string() && a.as_string() == b.as_string();
    if (a.is_array()) return b.is_array() && same_list(a.as_array(), b.as_array());
    return b.is_object() && same_object(a.as_object(), b.as_object());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Json value;
    try {
        value = parse_json(fuzz::text_of(data, size), "text");
    } catch (const Error&) {
        return 0;
    }
    const std::string written = to_json(value);
    fuzz::expect(is_utf8(written), "JSON that was written is UTF-8");
    const Json again = parse_json(written, "text written again");
    fuzz::expect(same(value, again), "JSON that was accepted is read back equal");
    return 0;
}
