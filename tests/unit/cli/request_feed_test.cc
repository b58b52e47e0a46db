#include "lib/cli/request_feed.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/unit/caught_error.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;
using namespace lcm::cli;

namespace {

class Requests {
public:
    explicit Requests(const std::string& lines) : feed_(write_file(folder_ / "requests.jsonl", lines)) {}
    std::optional<Record> next() { return feed_.next(); }

private:
    TemporaryFolder folder_;
    RequestFeed feed_;
};

/// A request with these members beside its prompt.
std::string with(const std::string& members) { return R"({"prompt":"x",)" + members + "}"; }

Record record_of(const std::string& line) { return Requests(line).next().value(); }

void check_refused(const std::string& line, std::initializer_list<std::string_view> words, ExitCode code = ExitCode::data) {
    CAPTURE(line);
    check_error(code, words, [&] { Requests(line).next(); });
}

}  // namespace

TEST_CASE("each key says one thing of the record") {
    const auto record =
        record_of(with(R"("negative":"blurry","seed":7,"size":"64x32","steps":3,"guidance":2.5,"output":"apple","adapters":[])"));
    for (const auto& [key, value] :
         {std::pair("lcm.prompt", "x"), std::pair("lcm.negative_prompt", "blurry"), std::pair("lcm.seed", "7"),
          std::pair("lcm.size", "64x32"), std::pair("lcm.steps", "3"), std::pair("lcm.guidance", "2.5"), std::pair("lcm.id", "apple")})
        CHECK(record.at(key) == value);
    const auto other = record_of(with(R"("width":32,"height":64,"id":"pear","seed":"18446744073709551615")"));
    CHECK(other.at("lcm.size") == "32x64");
    CHECK(other.at("lcm.id") == "pear");
    CHECK(other.at("lcm.seed") == "18446744073709551615");
    CHECK(record_of(R"({"prompt":""})").find("lcm.seed") == nullptr);
}

TEST_CASE("a value of another type or range is refused with its place") {
    for (const auto& [members, word] :
         {std::pair(R"("steps":"4")", "steps"), std::pair(R"("steps":0)", "0 is not between"), std::pair(R"("steps":1001)", "1001"),
          std::pair(R"("guidance":"high")", "guidance"), std::pair(R"("seed":-1)", "seed"), std::pair(R"("seed":1.5)", "seed"),
          std::pair(R"("seed":"18446744073709551616")", "seed"), std::pair(R"("seed":"+1")", "seed"),
          std::pair(R"("size":"64")", "WIDTHxHEIGHT"), std::pair(R"("size":"0x64")", "WIDTHxHEIGHT"),
          std::pair(R"("size":"64x64x64")", "WIDTHxHEIGHT"), std::pair(R"("size":64)", "size"),
          std::pair(R"("size":"64x64","width":64)", "gives \"size\""), std::pair(R"("width":64)", "only one"),
          std::pair(R"("height":64)", "only one"), std::pair(R"("width":-64,"height":64)", "-64"),
          std::pair(R"("id":"a","output":"b")", "both"), std::pair(R"("id":5)", "id"), std::pair(R"("adapters":"none")", "adapters")})
        check_refused(with(members), {"request 0", word});
    check_refused("{}", {"request 0", "prompt"});
    check_refused(R"({"prompt":7})", {"request 0", "prompt"});
}

TEST_CASE("what is no request at all") {
    for (const char* line : {"[1]", "7", "{", R"({"prompt":"x"} more)", "{\"prompt\":\"\xff\"}", R"({"prompt":"x","prompt":"y"})"})
        check_refused(line, {"request 0"});
    check_refused("\n  \n", {"holds no request"});
}

TEST_CASE("an unknown key names the nearest") {
    check_refused(R"({"promt":"x"})", {"\"promt\"", "did you mean \"prompt\"?"});
    check_refused(with(R"("gidance":1)"), {"did you mean \"guidance\"?"});
    check_refused(with(R"("zzzzzzzz":1)"), {"--help"});
}

TEST_CASE("settings of the steps and of the text") {
    const auto record =
        record_of(with(R"("sampler":"euler-karras","eta":0.5,"timesteps":[999,499],"sigmas":[14.6,0.5,0],"rng":"philox","strength":0.6,)"
                       R"("strength_rule":"cut","clip_skip":1,"prompt_syntax":"plain")"));
    for (const auto& [key, value] :
         {std::pair("lcm.sampler", "euler-karras"), std::pair("lcm.eta", "0.5"), std::pair("lcm.timesteps", "[999,499]"),
          std::pair("lcm.sigmas", "[14.6,0.5,0]"), std::pair("lcm.rng", "philox"), std::pair("lcm.strength", "0.6"),
          std::pair("lcm.strength_rule", "cut"), std::pair("lcm.clip_skip", "1"), std::pair("lcm.prompt_weights", "none")})
        CHECK(record.at(key) == value);
    CHECK(record_of(with(R"("prompt_syntax":"a1111")")).at("lcm.prompt_weights") == "a1111");
    for (const auto& [members, word] :
         {std::pair(R"("sampler":"eulr")", "did you mean euler"), std::pair(R"("sampler":4)", "sampler"), std::pair(R"("eta":1.5)", "1.5"),
          std::pair(R"("timesteps":[9.5])", "timesteps"), std::pair(R"("timesteps":[])", "empty"), std::pair(R"("sigmas":"1,0")", "sigmas"),
          std::pair(R"("rng":"dice")", "dice"), std::pair(R"("strength":0)", "strength"), std::pair(R"("strength":1.1)", "1.1"),
          std::pair(R"("strength_rule":"bend")", "bend"), std::pair(R"("clip_skip":-1)", "-1"),
          std::pair(R"("prompt_syntax":"none")", "plain, a1111"), std::pair(R"("guidance":-1)", "-1")})
        check_refused(with(members), {"request 0"}), check_refused(with(members), {word});
}

TEST_CASE("an adapter is an installed one, by its name") {
    CHECK(record_of(with(R"("adapters":[])")).find("lcm.adapters") == nullptr);
    for (const char* adapter : {R"("style")", R"("style:0.5")", R"({"id":"style","weight":0.5})", R"("../style.safetensors")"})
        check_refused(with(fmt::format("\"adapters\":[{}]", adapter)), {"request 0", "adapters", "style", "installed"});
    for (const auto& [adapter, word] :
         {std::pair("7", "adapters"), std::pair(R"("style:much")", "style:much"),
          std::pair(R"({"id":"style","file":"/etc/passwd"})", "file"), std::pair(R"({"weight":1})", "id"),
          std::pair(R"({"id":"style","weight":"much"})", "weight"), std::pair(R"({"id":"style","blocks":"roof"})", "blocks"),
          std::pair(R"({"id":"style","rule":"mine"})", "rule")})
        check_refused(with(fmt::format("\"adapters\":[{}]", adapter)), {"request 0", word});
}

TEST_CASE("requests behind a bad one follow, numbered by line, and its name is kept") {
    Requests requests("\n{\"prompt\":\"a\"}\r\n{\"id\":\"bad\",\"seed\":-1,\"prompt\":\"x\"}\n   \n{\"prompt\":\"c\"}");
    CHECK(requests.next().value().at("lcm.prompt") == "a");
    try {
        requests.next();
        FAIL("was taken");
    } catch (const RecordFailure& failure) {
        CHECK(failure.id() == "bad");
        CHECK(failure.where().starts_with("request 1"));
    }
    CHECK(requests.next().value().place == "request 2");
    CHECK_FALSE(requests.next().has_value());
}
