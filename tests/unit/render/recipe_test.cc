#include "lib/render/recipe.h"

#include <doctest/doctest.h>

#include <map>
#include <regex>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/base/version.h"
#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

Record finished_record() {
    Record record;
    record.place = "record 0";
    record.metadata = {{"lcm.prompt", "a lighthouse at dusk"},
                       {"lcm.negative_prompt", "blurry"},
                       {"lcm.steps", "4"},
                       {"lcm.step", "4"},
                       {"lcm.sampler", "lcm"},
                       {"lcm.guidance", "8"},
                       {"lcm.seed", "42"},
                       {"lcm.size", "512x512"},
                       {"lcm.model", "private/folder/dream/"},
                       {"lcm.precision", "f32"},
                       {"lcm.clip_skip", "0"},
                       {"lcm.rng", "torch-cpu"},
                       {"lcm.unet_sha256", "0123456789abcdef"}};
    return record;
}

std::string line_of(const Record& record) { return recipe(record, MetadataLevel::params, false).parameters; }

/// An A1111 text taken apart as the web UI does it (modules/infotext_utils.py, parse_generation_parameters).
struct Parsed {
    std::string prompt, negative;
    std::map<std::string, std::string> pairs;
};

std::string stripped(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

Parsed parse(const std::string& text) {
    const auto whole = stripped(text);
    const auto cut = whole.rfind('\n');
    const auto last = cut == std::string::npos ? whole : whole.substr(cut + 1);
    Parsed parsed;
    const std::regex pair(R"re(\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$))re");
    for (std::sregex_iterator match(last.begin(), last.end(), pair), end; match != end; ++match) {
        const std::string value = (*match)[2];
        parsed.pairs[(*match)[1]] = value.starts_with('"') ? parse_json(value, "value").as_string() : value;
    }
    REQUIRE(parsed.pairs.size() >= 3);  // fewer, and the web UI takes the line for a part of the prompt
    const auto lines = cut == std::string::npos ? "" : whole.substr(0, cut);
    const std::string mark = "\nNegative prompt: ";
    const auto negative = ("\n" + lines).find(mark);
    parsed.prompt = stripped(lines.substr(0, negative == std::string::npos ? lines.size() : negative));
    if (negative != std::string::npos) parsed.negative = stripped(("\n" + lines).substr(negative + mark.size()));
    return parsed;
}

}  // namespace

TEST_CASE("the recipe of a record as A1111 text") {
    const auto text = recipe(finished_record(), MetadataLevel::full, false);
    const std::string expected =
        "a lighthouse at dusk\n"
        "Negative prompt: blurry\n"
        "Steps: 4, Sampler: LCM, CFG scale: 8, Seed: 42, Size: 512x512, Model hash: 0123456789, Model: dream, Precision: f32, "
        "Clip skip: 1, RNG: CPU, Version: lcm ";
    CHECK(text.parameters == expected + version());
    CHECK(text.xmp.empty());
}

TEST_CASE("the level decides what is told") {
    const auto params = recipe(finished_record(), MetadataLevel::params, true);
    CHECK(params.parameters.starts_with("Steps: 4, "));
    CHECK(params.parameters.find("lighthouse") == std::string::npos);
    CHECK(params.parameters.find("blurry") == std::string::npos);
    CHECK(params.parameters.find("private") == std::string::npos);
    CHECK_FALSE(params.xmp.empty());
    const auto none = recipe(finished_record(), MetadataLevel::none, true);
    CHECK(none.parameters.empty());
    CHECK_FALSE(none.xmp.empty());
}

TEST_CASE("what a record does not say is left out, but for the clip skip") {
    Record record;
    CHECK(line_of(record) == std::string("Clip skip: 1, Version: lcm ") + version());
    record.set(key::prompt, "");
    CHECK(recipe(record, MetadataLevel::full, false).parameters == line_of(record));
}

TEST_CASE("clip skip is counted from 1") {
    auto record = finished_record();
    record.set(key::clip_skip, "1");
    CHECK(line_of(record).find("Clip skip: 2, ") != std::string::npos);
    for (const char* wrong : {"", "-1", "x", "101"}) {
        record.set(key::clip_skip, wrong);
        check_error(ExitCode::data, {"record 0", "lcm.clip_skip"}, [&] { line_of(record); });
    }
}

TEST_CASE("values with a comma, a colon or a line break are quoted") {
    auto record = finished_record();
    record.set(key::model, "a, b: \"c\"\nd");
    record.set(key::size, "1x1, Seed: 7");
    const auto line = line_of(record);
    CHECK(line.find("Model: \"a, b: \\\"c\\\"\\nd\", Precision") != std::string::npos);
    CHECK(line.find('\n') == std::string::npos);
    const auto pairs = parse(line).pairs;
    CHECK(pairs.at("Model") == "a, b: \"c\"\nd");
    CHECK(pairs.at("Seed") == "42");
    CHECK(pairs.at("Size") == "1x1, Seed: 7");
}

TEST_CASE("prompts come back as they went in") {
    const std::vector<std::string> prompts{"plain",
                                           "-leading, dash --flag",
                                           "two\nlines: with, commas",
                                           "Steps: 9, Sampler: Euler, Seed: 1, Size: 8x8",
                                           "ends with\nSteps: 20, Seed: 5, CFG scale: 7",
                                           "\x1B]52;c;x\x07",
                                           "caf\xC3\xA9 \xF0\x9F\x8D\x8E",
                                           "\"quoted\" \\ back"};
    for (const std::string& prompt : prompts) {
        auto record = finished_record();
        record.set(key::prompt, prompt);
        record.set(key::negative_prompt, "not " + prompt);
        const auto parsed = parse(recipe(record, MetadataLevel::full, false).parameters);
        CHECK(parsed.prompt == prompt);
        CHECK(parsed.negative == "not " + prompt);
        CHECK(parsed.pairs.at("Steps") == "4");
        CHECK(parsed.pairs.at("RNG") == "CPU");
    }
}

TEST_CASE("provenance names the kind of source") {
    auto record = finished_record();
    const auto xmp = recipe(record, MetadataLevel::full, true).xmp;
    const std::string list = "http://cv.iptc.org/newscodes/digitalsourcetype/";
    CHECK(xmp.find("Iptc4xmpExt:DigitalSourceType=\"" + list + "trainedAlgorithmicMedia\"") != std::string::npos);
    CHECK(xmp.find("xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\"") != std::string::npos);

    record.set(key::source, "compositeWithTrainedAlgorithmicMedia");
    CHECK(recipe(record, MetadataLevel::full, true).xmp.find(list + "compositeWithTrainedAlgorithmicMedia\"") != std::string::npos);
    for (const char* hostile : {"", "x\"/><script>", "a b"}) {
        record.set(key::source, hostile);
        check_error(ExitCode::data, {"lcm.source"}, [&] { recipe(record, MetadataLevel::full, true); });
        CHECK(recipe(record, MetadataLevel::full, false).xmp.empty());
    }
}

TEST_CASE("the same record gives the same text") {
    const auto one = recipe(finished_record(), MetadataLevel::full, true), two = recipe(finished_record(), MetadataLevel::full, true);
    CHECK(one.parameters == two.parameters);
    CHECK(one.xmp == two.xmp);
}
