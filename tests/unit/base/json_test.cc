#include "lib/base/json.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/unit/base/support.h"

using namespace lcm;
using lcm::test::error_of;

namespace {

std::string fault(std::string_view text) {
    return error_of([&] { parse_json(text, "c.json"); });
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("values keep their types") {
    const Json json = parse_json(R"( {"i": -3, "u": 9223372036854775807, "big": 9223372036854775808, "d": 1e3, "s": "a\u00e9",
                                     "b": true, "n": null, "l": [1, [2]], "o": {}} )",
                                 "c.json");
    CHECK(json.at("i").as_integer() == -3);
    CHECK(json.at("u").as_integer() == INT64_MAX);
    CHECK_FALSE(json.at("big").is_integer());
    CHECK(json.at("big").as_number() == 9223372036854775808.0);
    CHECK_FALSE(json.at("d").is_integer());
    CHECK(json.at("d").as_number() == 1000.0);
    CHECK(json.at("i").as_number() == -3.0);
    CHECK(json.at("s").as_string() == "a\xC3\xA9");
    CHECK(json.at("b").as_bool());
    CHECK(json.find("n") == nullptr);
    CHECK(json.find("absent") == nullptr);
    CHECK(json.at("l").as_array()[1].as_array()[0].as_integer() == 2);
    CHECK(json.at("o").as_object().empty());
    CHECK(parse_json("[-0]", "c.json").as_array()[0].as_number() == 0.0);
}

TEST_CASE("defaults stand in for what is absent or null") {
    const Json json = parse_json(R"({"n": null, "i": 3, "s": "x", "b": false})", "c.json");
    CHECK(json.get("n", std::int64_t{7}) == 7);
    CHECK(json.get("i", std::int64_t{7}) == 3);
    CHECK(json.get("i", 0.5) == 3.0);
    CHECK(json.get("absent", 0.5) == 0.5);
    CHECK(json.get("s", "y") == "x");
    CHECK(json.get("absent", "y") == "y");
    CHECK(json.get("b", true) == false);
    CHECK(json.get("absent", true) == true);
}

TEST_CASE("faults name the place") {
    const Json json = parse_json(R"({"in_channels": "4", "blocks": [320, {"a": []}]})", "unet/config.json");
    CHECK(error_of([&] { json.at("in_channels").as_integer(); }) ==
          "65: unet/config.json: key \"in_channels\": expected an integer, found a string");
    CHECK(error_of([&] { json.at("blocks").as_array()[0].as_string(); }) ==
          "65: unet/config.json: key \"blocks\": item 0: expected a string, found an integer");
    CHECK(error_of([&] { json.at("blocks").as_array()[1].at("a").as_object(); }) ==
          "65: unet/config.json: key \"blocks\": item 1: key \"a\": expected an object, found a list");
    CHECK(error_of([&] { json.at("out_channels"); }) == "65: unet/config.json: key \"out_channels\" is missing");
    CHECK(error_of([&] { json.get("in_channels", true); }) ==
          "65: unet/config.json: key \"in_channels\": expected true or false, found a string");
    CHECK(error_of([&] { json.as_array(); }) == "65: unet/config.json: expected a list, found an object");
    CHECK(error_of([&] { parse_json("1.5", "c").as_integer(); }) == "65: c: expected an integer, found a number");
    CHECK(error_of([&] { parse_json("null", "c").at("x"); }) == "65: c: expected an object, found null");
}

TEST_CASE("what is not strict JSON is refused") {
    CHECK(fault(R"({"a":1,"a":2})") == "65: c.json: duplicate key \"a\"");
    CHECK(fault(R"({"a":1,"\u0061":2})") == "65: c.json: duplicate key \"a\"");
    CHECK(fault(R"([{"x":{"k":1,"k":1}}])") == "65: c.json: item 0: key \"x\": duplicate key \"k\"");
    CHECK(fault("\xEF\xBB\xBF{}") == "65: c.json: begins with a byte-order mark");
    CHECK(fault(std::string_view("{}\0{}", 5)) == "65: c.json: a zero byte in JSON");
    CHECK(fault("\"\xFF\"") == "65: c.json: is not valid UTF-8");
    CHECK(fault("{}\n{}") == "65: c.json: bad JSON at line 2, column 1");
    CHECK(fault("{\n  \"a\": 01}") == "65: c.json: bad JSON at line 2, column 9");
    for (const char* bad : {"", " ", "{", "[1,]", "{\"a\":}", "nul", "[1e999]", "\"\\ud800\"", "'a'", "// c\n1", "[NaN]", "\"\t\"", "+1"}) {
        CAPTURE(bad);
        CHECK(fault(bad).starts_with("65: c.json: bad JSON at line 1, column "));
    }
}

TEST_CASE("nesting is limited") {
    CHECK(fault(nested(32)) == "nothing");
    CHECK(fault(nested(33)) == "65: c.json: JSON nested deeper than 32 levels");
    CHECK(fault(std::string(1'000'000, '[')) == "65: c.json: JSON nested deeper than 32 levels");
}

TEST_CASE("text is quoted canonically") {
    CHECK(json_quote("a\"b\\c\b\f\n\r\t\x01\x1F") == R"("a\"b\\c\b\f\n\r\t\u0001\u001f")");
    CHECK(json_quote("/\x7F\xC3\xA9") == "\"/\x7F\xC3\xA9\"");
}

TEST_CASE("values are written canonically") {
    const std::string canonical = R"({"a":[1,-2,0.5,1e-05,true,false,null,"x\n"],"b":{"c":[],"d":{}}})";
    CHECK(to_json(parse_json(R"({ "b": {"d": {}, "c": []}, "a": [1, -2, 0.5, 0.00001, true, false, null, "x\u000a"] })", "c")) ==
          canonical);
    CHECK(to_json(parse_json(canonical, "c")) == canonical);
}

TEST_CASE("an object of integers is handed on in its order") {
    std::string taken;
    const auto take = [&](const std::string& name, std::int64_t value) {
        taken += name + "=" + std::to_string(value) + " ";
        return true;
    };
    parse_json_integers(R"({"b": 2, "a\u0062": -1, "": 9223372036854775807})", "c.json", take);
    CHECK(taken == "b=2 ab=-1 =9223372036854775807 ");
    taken.clear();
    parse_json_integers("{}", "c.json", take);
    CHECK(taken.empty());
}

TEST_CASE("an object of integers is refused in the words of the tree") {
    const auto by_tree = [](const std::string& text) {
        return error_of([&] {
            const Json tree = parse_json(text, "c.json");
            for (const auto& [name, value] : tree.as_object()) static_cast<void>(value.as_integer());
        });
    };
    for (const std::string text : {R"({"a":1,"a":2})", R"({"a":1,"\u0061":2})", R"({"a":"b"})", R"({"a":null})", R"({"a":true})",
                                   R"({"a":1.0})", R"({"a":9223372036854775808})", R"({"a":{"b":1}})", R"({"a":[1]})", "[]", "1", "1.5",
                                   "null", R"("a")", R"({"a":1)", R"({"a":1} 2)", "", "\xEF\xBB\xBF{}", "{\"\xFF\":1}"}) {
        CAPTURE(text);
        std::set<std::string> names;
        const auto take = [&](const std::string& name, std::int64_t) { return names.insert(name).second; };
        CHECK(by_tree(text) != "");
        CHECK(error_of([&] { parse_json_integers(text, "c.json", take); }) == by_tree(text));
    }
}

TEST_CASE("JSON files are read, and named when they cannot be") {
    const lcm::test::TemporaryFolder folder;
    lcm::test::write_file(folder.path("good.json"), "{\"a\": 1}\n");
    CHECK(read_json_file(folder.path("good.json")).at("a").as_integer() == 1);
    const std::string missing = folder.path("missing.json");
    CHECK(error_of([&] { read_json_file(missing); }) == "66: " + missing + ": cannot open: No such file or directory");
}
