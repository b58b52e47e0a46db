#include "lib/input/text/unicode.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/base/sha256.h"
#include "lib/input/text/tokenizer.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

std::string testdata() { return std::getenv("LCM_TESTDATA"); }

std::vector<char32_t> points_of(const Json& ranges) {
    std::vector<char32_t> points;
    for (const Json& range : ranges.as_array())
        for (std::int64_t point = range.as_array()[0].as_integer(); point <= range.as_array()[1].as_integer(); ++point)
            points.push_back(static_cast<char32_t>(point));
    return points;
}

/// Checks the ids of all prompts of each block of code points against the reference's hash; returns the number of blocks.
std::size_t check_blocks(const Json& golden, const std::string& points_key, const std::string& hashes_key,
                         const std::function<std::vector<std::u32string>(char32_t)>& prompts_of) {
    const Tokenizer tokenizer = Tokenizer::open(testdata() + "/golden/models/sd15/tokenizer");
    const auto block_size = static_cast<char32_t>(golden.at("block").as_integer());
    const std::vector<char32_t> points = points_of(golden.at(points_key));
    const Json::Array& hashes = golden.at(hashes_key).as_array();
    std::size_t block = 0;
    for (auto begin = points.begin(); begin != points.end(); ++block) {
        const auto end = std::find_if(begin, points.end(), [&](char32_t point) { return point / block_size != *begin / block_size; });
        Sha256 hash;
        for (; begin != end; ++begin) {
            for (const std::u32string& prompt : prompts_of(*begin)) {
                const std::vector<std::int32_t> ids = tokenizer.encode(unicode::encode(prompt));
                hash.update(std::as_bytes(std::span(ids)));
            }
        }
        INFO("the block of 1024 that ends at code point ", static_cast<unsigned>(*(end - 1)));
        REQUIRE(block < hashes.size());
        CHECK(hash.hex() == hashes[block].as_string());
    }
    CHECK(block == hashes.size());
    return block;
}

/// The forms of testdata/tokenizer/make_unicode.py.
std::vector<std::u32string> forms_of(char32_t point) {
    const std::u32string c(1, point);
    return {c + U"\na" + c + U"b\nA " + c + U" 1" + c + U"\ne" + c + U"\u0301\nx\u0345" + c + U"\u0334x"};
}

}  // namespace

TEST_CASE("every code point of Unicode 15.0 gives the reference's ids") {
    const Json golden = read_json_file(testdata() + "/tokenizer/unicode-15.0.json");
    CHECK(check_blocks(golden, "points", "point_sha256", forms_of) > 100);
    const std::vector<char32_t> seconds = points_of(golden.at("pair_seconds"));
    const auto pairs_of = [&](char32_t first) {
        std::vector<std::u32string> pairs;
        for (const char32_t second : seconds) pairs.push_back({first, second});
        return pairs;
    };
    CHECK(check_blocks(golden, "pair_firsts", "pair_sha256", pairs_of) > 10);
}

TEST_CASE("marks of one class keep their order in a long run") {
    std::u32string text = U"x", low, high;
    for (int i = 0; i < 50; ++i) {
        text += U"\u0301\u0316\u0300";
        low += U"\u0316";
        high += U"\u0301\u0300";
    }
    CHECK(unicode::compose(text) == U"x" + low + high);
}

TEST_CASE("64 KiB of marks take bounded time") {
    for (const std::u32string_view unit : {U"\u0301\u0316", U"\u1e95\u0345", U"\u1100\u1161\u11a8"}) {
        std::u32string text;
        while (text.size() < 30000) text += unit;
        const auto start = std::chrono::steady_clock::now();
        CHECK(unicode::compose(text).size() <= 2 * text.size());
        // Some milliseconds; what sorts marks by exchanging neighbours takes seconds.
        CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
    }
}

TEST_CASE("UTF-8 there and back") {
    const std::string text("a\0\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 21);
    const std::u32string points = unicode::decode(text);
    CHECK(points == std::u32string({U'a', 0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff}));
    CHECK(unicode::encode(points) == text);
    for (const char* bad : {"\x80", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"})
        check_error(ExitCode::data, {"UTF-8", "byte"}, [bad] { unicode::decode(bad); });
}
