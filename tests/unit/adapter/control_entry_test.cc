#include "lib/core/adapter/control_entry.h"

#include <doctest/doctest.h>

#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

TEST_CASE("steering networks are written with sorted keys and read back") {
    const std::string digest(64, 'a');
    const std::vector<ControlEntry> entries{
        {.kind = "controlnet", .map = "canny", .sha256 = digest, .scale = 0.8, .window = {0.25, 0.5}, .guess = true, .file = "net"},
        {.kind = "ip-adapter", .sha256 = digest}};
    Record record;
    write_controls(record, entries);
    CHECK(record.at(key::steering) == R"([{"end":0.5,"file":"net","guess":true,"kind":"controlnet","map":"canny","scale":0.8,"sha256":")" +
                                          digest + R"(","start":0.25},{"end":1,"file":"","kind":"ip-adapter","scale":1,"sha256":")" +
                                          digest + R"(","start":0}])");
    const auto read = read_controls(record);
    REQUIRE(read.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(read[i].same(entries[i]));
        CHECK(read[i].file == entries[i].file);
    }
    write_controls(record, {});
    CHECK(record.find(key::steering) == nullptr);
    CHECK(read_controls(record).empty());
}

TEST_CASE("two networks steer alike wherever their files lie") {
    const ControlEntry one{.kind = "controlnet", .map = "a", .sha256 = "0", .scale = 1, .window = {0, 1}, .guess = false, .file = "x"};
    ControlEntry other = one;
    other.file = "y";
    CHECK(one.same(other));
    const std::vector<void (*)(ControlEntry&)> changes{
        [](ControlEntry& e) { e.kind = "t2i-adapter"; }, [](ControlEntry& e) { e.map = "b"; },
        [](ControlEntry& e) { e.sha256 = "1"; },         [](ControlEntry& e) { e.scale = 0.5; },
        [](ControlEntry& e) { e.window.end = 0.5; },     [](ControlEntry& e) { e.guess = true; }};
    for (const auto change : changes) {
        ControlEntry changed = one;
        change(changed);
        CHECK_FALSE(one.same(changed));
    }
}

TEST_CASE("a step acts when it lies wholly inside the window") {
    const StepWindow half{0.25, 0.75};
    for (const auto& [step, acts] : {std::pair(0, false), std::pair(1, true), std::pair(2, true), std::pair(3, false)})
        CHECK(half.holds(step, 4) == acts);
    CHECK(StepWindow{}.holds(0, 1));
}

TEST_CASE("lists of steering networks that are wrong name record and key") {
    Record record;
    record.place = "record 3";
    const std::string good = R"("kind":"controlnet","sha256":")" + std::string(64, 'a') + "\"";
    for (const std::string& json :
         {std::string("{}"), std::string("[1]"), "[{" + good + R"(,"start":-1}])", "[{" + good + R"(,"end":2}])",
          "[{" + good + R"(,"start":1}])", "[{" + good + R"(,"odd":1}])", std::string(R"([{"kind":"controlnet"}])")}) {
        CAPTURE(json);
        record.set(key::steering, json);
        check_error(ExitCode::data, {"record 3", "lcm.steering"}, [&] { read_controls(record); });
    }
}
