// Model files of careless writers: `--lenient` takes keys that no tensor should have, and holes; nothing else.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/log.h"
#include "lib/stream/header.h"
#include "tests/unit/base/support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

struct Verdict {
    std::string fault = "accepted";
    std::string warnings;  // one a line
};

Verdict read(const std::string& text, bool lenient) {
    const TemporaryFolder folder;
    Verdict verdict;
    set_log({.file = folder.path("log")});
    try {
        parse_header(text, HeaderLimits::model(lenient), "m");
    } catch (const Error& error) {
        verdict.fault = error.fault();
    }
    set_log({});
    verdict.warnings = read_file(folder.path("log"));
    return verdict;
}

std::string with_extra(std::string_view extra, std::string_view name = "a", int begin = 0) {
    return fmt::format(R"("{}":{{"dtype":"U8",{},"shape":[1],"data_offsets":[{},{}]}})", name, extra, begin, begin + 1);
}

}  // namespace

TEST_CASE("keys beyond the three are refused, or warned about once") {
    for (const char* extra : {R"("x":1)", R"("x":-0)", R"("x":1.5)", R"("x":null)", R"("x":true)", R"("x":"y")", R"("x":[])",
                              R"("x":[1,"y",null,-1,1e3])", R"("x":{})", R"("x":{"p":1,"q":"r"})", R"("x":1,"y":2)"}) {
        CAPTURE(extra);
        const std::string header = fmt::format("{{{},{}}}", with_extra(extra), with_extra(extra, "b", 1));
        CHECK(read(header, false).fault == "tensor \"a\": unknown key \"x\"");
        const Verdict lenient = read(header, true);
        CHECK(lenient.fault == "accepted");
        CHECK(lenient.warnings.find("m: tensor \"a\": unknown key \"x\"") != std::string::npos);
        CHECK(std::ranges::count(lenient.warnings, '\n') == 1);
    }
}

TEST_CASE("duplicates and depth are refused in any case") {
    const auto fault = [](const char* extra) { return read("{" + with_extra(extra) + "}", true).fault; };
    CHECK(fault(R"("x":1,"x":1)") == "tensor \"a\": duplicate key \"x\"");
    CHECK(fault(R"("x":1,"\u0078":1)") == "tensor \"a\": duplicate key \"x\"");
    CHECK(fault(R"("x":1,"shape":[1])") == "tensor \"a\": duplicate key \"shape\"");
    CHECK(fault(R"("x":{"p":1,"p":2})") == "tensor \"a\": \"x\": duplicate key \"p\"");
    CHECK(fault(R"("x":{"p":[]})") == "tensor \"a\": nested deeper than 3 levels");
    CHECK(fault(R"("x":[[]])") == "tensor \"a\": nested deeper than 3 levels");
    CHECK(fault(R"("x":[{}])") == "tensor \"a\": nested deeper than 3 levels");
    CHECK(read(R"({"a":{"x":1,"dtype":"U8","shape":[1]}})", true).fault == "tensor \"a\": data_offsets is missing");
    CHECK(read("{" + with_extra(R"("x":1)") + "," + with_extra(R"("x":1)") + "}", true).fault == "duplicate name \"a\"");
    CHECK(read(R"({"__metadata__":{"a":1}})", true).fault == "metadata key \"a\": expected a string, found 1");
}

TEST_CASE("holes are refused, or warned about once; overlaps and wrong sizes are refused") {
    const auto two = [](int first, int second, int bytes = 4) {
        return fmt::format(R"({{"a":{{"dtype":"F32","shape":[1],"data_offsets":[{},{}]}},"b":{{"dtype":"F32","shape":[1],)"
                           R"("data_offsets":[{},{}]}}}})",
                           first, first + bytes, second, second + bytes);
    };
    CHECK(read(two(2, 8), false).fault == "tensor \"a\": begins at 2 and leaves a hole before it, which ends at 0");
    const Verdict lenient = read(two(2, 8), true);
    CHECK(lenient.fault == "accepted");
    CHECK(lenient.warnings.find("m: tensor \"a\": begins at 2 and leaves a hole before it") != std::string::npos);
    CHECK(std::ranges::count(lenient.warnings, '\n') == 1);
    CHECK(parse_header(two(0, 4), HeaderLimits::model(true), "m").data_bytes == 8);
    CHECK(read(two(0, 3), true).fault == "tensor \"b\": begins at 3 and overlaps what is before it, which ends at 4");
    CHECK(read(two(0, 0), true).fault == "tensor \"b\": begins at 0 and overlaps what is before it, which ends at 4");
    CHECK(read(two(0, 5, 5), true).fault == "tensor \"a\": F32 of shape [1] takes 4 bytes, data_offsets give 5");
    CHECK(read(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"z":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}})", true)
              .fault.ends_with("overlaps what is before it, which ends at 4"));
}

TEST_CASE("only who asks for it gets it") {
    CHECK_FALSE(HeaderLimits::stream().lenient);
    CHECK_FALSE(HeaderLimits::model().lenient);
}
