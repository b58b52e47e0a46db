#include "lib/stream/header.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include "lib/base/error.h"

using namespace lcm;

namespace {

std::string fault(std::string_view text, const HeaderLimits& limits) {
    try {
        parse_header(text, limits, "h");
    } catch (const Error& error) {
        CHECK(error.code() == ExitCode::data);
        CHECK(error.where() == "h");
        return error.fault();
    }
    return "accepted";
}

std::string stream_fault(std::string_view text) { return fault(text, HeaderLimits::stream()); }
std::string model_fault(std::string_view text) { return fault(text, HeaderLimits::model()); }

// One tensor `a` of U8 with the given texts of shape and offsets.
std::string entry(std::string_view shape, std::string_view offsets, std::string_view dtype = "U8", std::string_view name = "a") {
    return fmt::format(R"({{"{}":{{"dtype":"{}","shape":{},"data_offsets":{}}}}})", name, dtype, shape, offsets);
}

std::string two(std::string_view first_offsets, std::string_view first_shape, std::string_view second_offsets,
                std::string_view second_shape) {
    return fmt::format(R"({{"a":{{"dtype":"U8","shape":{},"data_offsets":{}}},"b":{{"dtype":"U8","shape":{},"data_offsets":{}}}}})",
                       first_shape, first_offsets, second_shape, second_offsets);
}

std::string metadata(std::string_view members) { return fmt::format(R"({{"__metadata__":{{{}}}}})", members); }

}  // namespace

TEST_CASE("a header says its tensors in data order, its metadata and its data's size") {
    const Header header = parse_header(
        R"({"z":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"__metadata__":{"k":"v\u00e9\n"}, "y":{"shape":[3,0],"data_offsets":[4,4],)"
        R"("dtype":"BF16"},"a":{"dtype":"F4","shape":[2,1],"data_offsets":[4,5]}}   )",
        HeaderLimits::stream(), "h");
    REQUIRE(header.tensors.size() == 3);
    CHECK(header.tensors[0].name == "z");
    CHECK(header.tensors[0].shape.empty());
    CHECK(header.tensors[1].name == "y");
    CHECK(header.tensors[1].dtype == Dtype::BF16);
    CHECK(header.tensors[2].name == "a");
    CHECK(header.tensors[2].begin == 4);
    CHECK(header.data_bytes == 5);
    CHECK(header.metadata.at("k") == "v\xC3\xA9\n");
}

TEST_CASE("an empty header and an empty metadata are legal") {
    CHECK(stream_fault("{}") == "accepted");
    CHECK(stream_fault("{}     ") == "accepted");
    CHECK(stream_fault(metadata("")) == "accepted");
}

TEST_CASE("row 7: nothing stands before the brace, only spaces after it") {
    const std::string first = "does not begin with \"{\"", last = "does not end with \"}\" and spaces";
    CHECK(stream_fault("") == first);
    CHECK(stream_fault(" {}") == first);
    CHECK(stream_fault("\n{}") == first);
    CHECK(stream_fault("\xEF\xBB\xBF{}") == first);
    CHECK(stream_fault("[]") == first);
    CHECK(stream_fault("{}\n") == last);
    CHECK(stream_fault("{} \t ") == last);
    CHECK(stream_fault("{}x") == last);
    CHECK(stream_fault(std::string_view("{}\0", 3)) == last);
    CHECK(stream_fault("{") == last);
}

TEST_CASE("what is no JSON is refused with its place") {
    CHECK(stream_fault("{} {}") == "bad JSON at byte 4");
    CHECK(stream_fault("{}}") == "bad JSON at byte 3");
    CHECK(stream_fault("{\"a\" 1}") == "bad JSON at byte 6");
    CHECK(stream_fault("{\"a\":{},}").starts_with("tensor \"a\": dtype is missing"));
    CHECK(stream_fault("{/**/}") == "bad JSON at byte 2");
    CHECK(stream_fault(std::string_view("{}\0 }", 5)) == "a zero byte in JSON");
}

TEST_CASE("row 8: names are UTF-8 without control characters") {
    CHECK(stream_fault("{\"\xFF\":1}") == "is not valid UTF-8");
    CHECK(stream_fault("{\"\xED\xA0\x80\":1}") == "is not valid UTF-8");
    CHECK(stream_fault("{\"\\ud800\":1}").starts_with("bad JSON at byte "));
    CHECK(stream_fault("{\"\\udc00\\ud800\":1}").starts_with("bad JSON at byte "));
    CHECK(stream_fault("{\"a\nb\":1}").starts_with("bad JSON at byte "));
    CHECK(stream_fault(R"({"a\u0000b":1})") == "control character in name \"a\\u0000b\"");
    CHECK(stream_fault(R"({"a\u001f":1})") == "control character in name \"a\\u001f\"");
    CHECK(stream_fault("{\"a\x7F\":1}") == "control character in name \"a\x7F\"");
    CHECK(stream_fault("{\"\":1}") == "empty name");
    CHECK(stream_fault("{\"a/../b\":1}") == "\"/../\" in name \"a/../b\"");
    CHECK(stream_fault(metadata(R"("":"v")")) == "empty name");
    CHECK(stream_fault(metadata(R"("k\u0000":"v")")) == "control character in name \"k\\u0000\"");
    CHECK(stream_fault(metadata(R"("k/../":"v")")) == "\"/../\" in name \"k/../\"");
    CHECK(stream_fault(metadata(R"("k":"v\u0000")")) == "metadata key \"k\": a zero character");
    CHECK(stream_fault(metadata(R"("k":"line\nline\u001b")")) == "accepted");
}

TEST_CASE("row 9 and F2: no key stands twice, escaped or not") {
    CHECK(stream_fault(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})") ==
          "duplicate name \"a\"");
    CHECK(stream_fault(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0061":{}})") == "duplicate name \"a\"");
    CHECK(stream_fault(R"({"__metadata__":{},"__metadata__":{}})") == "duplicate name \"__metadata__\"");
    CHECK(stream_fault(R"({"__metadata__":{},"__met\u0061data__":{}})") == "duplicate name \"__metadata__\"");
    CHECK(stream_fault(metadata(R"("k":"1","k":"1")")) == "duplicate metadata key \"k\"");
    CHECK(stream_fault(metadata(R"("k":"1","\u006b":"2")")) == "duplicate metadata key \"k\"");
    CHECK(stream_fault(R"({"a":{"dtype":"U8","dtype":"U8"}})") == "tensor \"a\": duplicate key \"dtype\"");
    CHECK(stream_fault(R"({"a":{"shape":[],"sh\u0061pe":[]}})") == "tensor \"a\": duplicate key \"shape\"");
}

TEST_CASE("a tensor entry has exactly its three keys") {
    CHECK(stream_fault(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}})") == "tensor \"a\": unknown key \"x\"");
    CHECK(stream_fault(R"({"a":{"shape":[0],"data_offsets":[0,0]}})") == "tensor \"a\": dtype is missing");
    CHECK(stream_fault(R"({"a":{"dtype":"U8","data_offsets":[0,0]}})") == "tensor \"a\": shape is missing");
    CHECK(stream_fault(R"({"a":{"dtype":"U8","shape":[0]}})") == "tensor \"a\": data_offsets is missing");
    CHECK(stream_fault(R"({"a":7})") == "tensor \"a\": expected an object, found 7");
    CHECK(stream_fault(R"({"a":[]})") == "tensor \"a\": expected an object, found a list");
    CHECK(stream_fault(R"({"a":{"dtype":1}})") == "tensor \"a\": dtype: expected a string, found 1");
    CHECK(stream_fault(R"({"a":{"shape":"x"}})") == "tensor \"a\": shape: expected a list, found \"x\"");
    CHECK(stream_fault(R"({"a":{"shape":{}}})") == "tensor \"a\": shape: expected a list, found an object");
    CHECK(stream_fault(R"({"a":{"dtype":[]}})") == "tensor \"a\": dtype: expected a string, found a list");
}

TEST_CASE("row 10: offsets tile the data from 0 to its end") {
    CHECK(stream_fault(two("[0,4]", "[4]", "[4,6]", "[2]")) == "accepted");
    CHECK(stream_fault(two("[4,6]", "[2]", "[0,4]", "[4]")) == "accepted");
    CHECK(stream_fault(two("[0,4]", "[4]", "[2,6]", "[4]")) == "tensor \"b\": begins at 2 and overlaps what is before it, which ends at 4");
    CHECK(stream_fault(two("[0,4]", "[4]", "[0,4]", "[4]")) == "tensor \"b\": begins at 0 and overlaps what is before it, which ends at 4");
    CHECK(stream_fault(two("[0,4]", "[4]", "[5,6]", "[1]")) == "tensor \"b\": begins at 5 and leaves a hole before it, which ends at 4");
    CHECK(stream_fault(entry("[4]", "[1,5]")) == "tensor \"a\": begins at 1 and leaves a hole before it, which ends at 0");
    CHECK(stream_fault(entry("[4]", "[4,0]")) == "tensor \"a\": data_offsets [4,0] are reversed");
    CHECK(stream_fault(entry("[4]", "[0]")) == "tensor \"a\": data_offsets needs two numbers");
    CHECK(stream_fault(entry("[4]", "[0,2,4]")) == "tensor \"a\": data_offsets has more than two numbers");
    CHECK(stream_fault(entry("[4]", "[0,281474976710656]")) == "tensor \"a\": offset 281474976710656, the limit is 281474976710655");
}

TEST_CASE("row 11 and F4: products that wrap are refused") {
    const std::vector<std::string> wrapping{"[65536,65536,65536,65536]", "[4194305,4194305,211106198978564]", "[4,2147418113,5,429509837]"};
    for (const std::string& shape : wrapping) {
        CAPTURE(shape);
        const std::string message = fmt::format("tensor \"a\": U8 of shape {} is too large or no whole number of bytes", shape);
        CHECK(model_fault(entry(shape, "[0,0]")) == message);
        CHECK(model_fault(entry(shape, "[0,4]")) == message);
        CHECK(stream_fault(entry(shape, "[0,4]")) != "accepted");
    }
    CHECK(model_fault(entry("[0,65536,65536,65536,65536]", "[0,0]")).starts_with("tensor \"a\": U8 of shape [0,65536,"));
    CHECK(model_fault(entry("[65536,65536,65536,65536,0]", "[0,0]")).starts_with("tensor \"a\": U8 of shape [65536,"));
    CHECK(model_fault(entry("[0,65536,65536]", "[0,0]")) == "accepted");
}

TEST_CASE("row 12: numbers are unsigned decimal integers") {
    for (const char* token : {"-1", "-0", "1e3", "1.0", "18446744073709551616", "null", "true", "false"}) {
        CAPTURE(token);
        CHECK(stream_fault(entry(fmt::format("[{}]", token), "[0,0]"))
                  .starts_with("tensor \"a\": shape: expected an unsigned integer, found "));
        CHECK(stream_fault(entry("[0]", fmt::format("[0,{}]", token)))
                  .starts_with("tensor \"a\": data_offsets: expected an unsigned integer, found "));
    }
    CHECK(stream_fault(entry("[-1]", "[0,0]")) == "tensor \"a\": shape: expected an unsigned integer, found -1");
    CHECK(stream_fault(entry("[-0]", "[0,0]")) == "tensor \"a\": shape: expected an unsigned integer, found -0");
    CHECK(stream_fault(entry("[\"4\"]", "[0,4]")) == "tensor \"a\": shape: expected an unsigned integer, found \"4\"");
    CHECK(stream_fault(entry("[[4]]", "[0,4]")) == "tensor \"a\": shape: expected an unsigned integer, found a list");
    CHECK(stream_fault(entry("[{}]", "[0,4]")) == "tensor \"a\": shape: expected an unsigned integer, found an object");
    CHECK(stream_fault(entry("[01]", "[0,1]")).starts_with("bad JSON at byte "));
    CHECK(stream_fault(entry("[1e999]", "[0,1]")).starts_with("bad JSON at byte "));
}

TEST_CASE("row 13 and F3: a zero-size tensor stands at an edge only") {
    CHECK(stream_fault(two("[0,4]", "[4]", "[2,2]", "[0]")) == "tensor \"b\": begins at 2 and overlaps what is before it, which ends at 4");
    CHECK(stream_fault(two("[0,4]", "[4]", "[0,0]", "[0]")) == "accepted");
    CHECK(stream_fault(two("[0,4]", "[4]", "[4,4]", "[0]")) == "accepted");
    CHECK(stream_fault(two("[0,4]", "[4]", "[5,5]", "[0]")) == "tensor \"b\": begins at 5 and leaves a hole before it, which ends at 4");
}

TEST_CASE("row 15: dtypes are known and fill whole bytes") {
    CHECK(stream_fault(entry("[4]", "[0,4]", "U9")) == "tensor \"a\": unknown dtype \"U9\"");
    CHECK(stream_fault(entry("[4]", "[0,4]", "u8")) == "tensor \"a\": unknown dtype \"u8\"");
    CHECK(stream_fault(entry("[3]", "[0,2]", "F4")) == "tensor \"a\": F4 of shape [3] is too large or no whole number of bytes");
    CHECK(stream_fault(entry("[4]", "[0,2]", "F4")) == "accepted");
    CHECK(stream_fault(entry("[4]", "[0,3]", "F6_E2M3")) == "accepted");
    CHECK(stream_fault(entry("[2]", "[0,1]", "F6_E3M2")).starts_with("tensor \"a\": F6_E3M2 of shape [2]"));
    CHECK(stream_fault(entry("[2]", "[0,4]", "F32")) == "tensor \"a\": F32 of shape [2] takes 8 bytes, data_offsets give 4");
}

TEST_CASE("row 16 and F6: metadata is text") {
    for (const auto& [value, found] : std::map<std::string, std::string>{
             {"1", "1"}, {"-1", "-1"}, {"1.5", "1.5"}, {"null", "null"}, {"true", "true"}, {"[]", "a list"}, {"{}", "an object"}}) {
        CAPTURE(value);
        CHECK(stream_fault(metadata("\"k\":" + value)) == "metadata key \"k\": expected a string, found " + found);
    }
    CHECK(stream_fault(R"({"__metadata__":null})") == "__metadata__: expected an object, found null");
    CHECK(stream_fault(R"({"__metadata__":[]})") == "__metadata__: expected an object, found a list");
}

TEST_CASE("limits of a stream's header") {
    const std::string name128(128, 'n');
    CHECK(stream_fault(entry("[0]", "[0,0]", "U8", name128)) == "accepted");
    CHECK(stream_fault(entry("[0]", "[0,0]", "U8", name128 + "n")) == "a name of 129 bytes, the limit is 128");
    CHECK(stream_fault(metadata("\"" + name128 + "k\":\"\"")) == "a name of 129 bytes, the limit is 128");
    CHECK(stream_fault(metadata("\"k\":\"" + std::string(65'536, 'v') + "\"")) == "accepted");
    CHECK(stream_fault(metadata("\"k\":\"" + std::string(65'537, 'v') + "\"")) == "metadata key \"k\": 65537 bytes, the limit is 65536");
    CHECK(stream_fault(entry("[1,1,1,1,1,1,1,1]", "[0,1]")) == "accepted");
    CHECK(stream_fault(entry("[1,1,1,1,1,1,1,1,1]", "[0,1]")) == "tensor \"a\": more than 8 dimensions");
    CHECK(stream_fault(entry("[2147483647]", "[0,2147483647]")) == "accepted");
    CHECK(stream_fault(entry("[2147483648]", "[0,2147483648]")) == "tensor \"a\": dimension 2147483648, the limit is 2147483647");
    CHECK(stream_fault("{}" + std::string(1'048'574, ' ')) == "accepted");
    CHECK(stream_fault("{}" + std::string(1'048'575, ' ')) == "1048577 bytes, the limit is 1048576");
}

namespace {

std::string many_tensors(std::size_t count) {
    std::string text = "{";
    for (std::size_t i = 0; i < count; ++i)
        text += fmt::format("{}\"t{}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", i == 0 ? "" : ",", i);
    return text + "}";
}

std::string many_keys(std::size_t count) {
    std::string members;
    for (std::size_t i = 0; i < count; ++i) members += fmt::format("{}\"k{}\":\"\"", i == 0 ? "" : ",", i);
    return metadata(members);
}

}  // namespace

TEST_CASE("row 14 and F5: floods stop at the limit") {
    CHECK(stream_fault(many_tensors(4'096)) == "accepted");
    CHECK(stream_fault(many_tensors(4'097)) == "more than 4096 tensors");
    CHECK(model_fault(many_tensors(100'001)) == "more than 100000 tensors");
    CHECK(stream_fault(many_keys(256)) == "accepted");
    CHECK(stream_fault(many_keys(257)) == "more than 256 metadata keys");
    CHECK(model_fault(many_keys(1'000'000)) == "more than 100000 metadata keys");
    CHECK(stream_fault("{\"a\":" + std::string(1'000'000, '[') + "}") == "tensor \"a\": expected an object, found a list");
    CHECK(stream_fault("{\"a\":{\"shape\":" + std::string(1'000'000, '[') + "}") ==
          "tensor \"a\": shape: expected an unsigned integer, found a list");
}

TEST_CASE("canonical order, canonical text, padding to 64") {
    Header header;
    header.metadata = {{"b", "\"\\\n\x01"}, {"a", ""}};
    header.tensors = {{.name = "z", .dtype = Dtype::U8, .shape = {3}},
                      {.name = "b", .dtype = Dtype::F16, .shape = {1, 2}},
                      {.name = "a", .dtype = Dtype::F16, .shape = {}},
                      {.name = "q", .dtype = Dtype::F64, .shape = {1}}};
    lay_out(header);
    CHECK(header.data_bytes == 17);
    const std::string text = format_header(header);
    CHECK((8 + text.size()) % 64 == 0);
    const std::string_view canonical =
        R"({"__metadata__":{"a":"","b":"\"\\\n\u0001"},"q":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},)"
        R"("a":{"dtype":"F16","shape":[],"data_offsets":[8,10]},"b":{"dtype":"F16","shape":[1,2],"data_offsets":[10,14]},)"
        R"("z":{"dtype":"U8","shape":[3],"data_offsets":[14,17]}})";
    CHECK(text.substr(0, canonical.size()) == canonical);
    CHECK(text.find_last_not_of(' ') == canonical.size() - 1);
    CHECK(format_header(parse_header(text, HeaderLimits::stream(), "h")) == text);
    CHECK(format_header(Header{}) == "{}" + std::string(54, ' '));
}

TEST_CASE("dtypes have their names and sizes") {
    CHECK(name(Dtype::F8_E5M2FNUZ) == "F8_E5M2FNUZ");
    CHECK(parse_dtype("C64") == Dtype::C64);
    CHECK_FALSE(parse_dtype("").has_value());
    for (const auto& [dtype, expected] : std::vector<std::pair<const char*, unsigned>>{
             {"BOOL", 8}, {"U8", 8},   {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8},
             {"I16", 16}, {"U16", 16}, {"F16", 16}, {"BF16", 16},   {"I32", 32},    {"U32", 32},    {"F32", 32},        {"I64", 64},
             {"U64", 64}, {"F64", 64}, {"C64", 64}, {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}}) {
        CAPTURE(dtype);
        REQUIRE(parse_dtype(dtype).has_value());
        CHECK(name(*parse_dtype(dtype)) == dtype);
        CHECK(bits(*parse_dtype(dtype)) == expected);
    }
    const std::vector<std::int64_t> shape{2, 3}, negative{-1};
    CHECK(byte_size(Dtype::F32, shape) == 24u);
    CHECK(byte_size(Dtype::F4, shape) == 3u);
    CHECK_FALSE(byte_size(Dtype::U8, negative).has_value());
}
