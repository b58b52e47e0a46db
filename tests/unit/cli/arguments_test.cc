#include "lib/cli/arguments.h"

#include <doctest/doctest.h>

#include "lib/cli/depfile.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/temporary_folder.h"

namespace {

using Words = std::vector<std::string>;

Words prepared(const Words& words) {
    return lcm::cli::prepare_arguments(words, [](const std::string& name) { return name == "--prompt" || name == "-p" || name == "--MF"; });
}

}  // namespace

TEST_CASE("words of make and names of other programs become ours") {
    CHECK(prepared({"-MD", "-MF", "-MT", "-MT", "x"}) ==
          Words{"--MD", "--MF", "-MT", "--MT", "x"});  // the second stands in a value's place
    CHECK(prepared({"--cfg-scale", "3", "--batch-count=2", "--init-img", "a"}) == Words{"--guidance", "3", "--batch=2", "--input", "a"});
    CHECK(prepared({"--steps", "-v", "file"}) == Words{"--steps", "-v", "file"});
}

TEST_CASE("a value stays as it is") {
    CHECK(prepared({"-p", "-MD", "--prompt", "--cfg-scale"}) == Words{"-p", "-MD", "--prompt", "--cfg-scale"});
    CHECK(prepared({"--prompt=-MD"}) == Words{"--prompt=-MD"});
    CHECK(prepared({"-p"}) == Words{"-p"});
}

TEST_CASE("an empty value becomes a word of its own, where the flag takes one") {
    CHECK(prepared({"--prompt=", "x"}) == Words{"--prompt", "", "x"});
    CHECK(prepared({"--quiet="}) == Words{"--quiet="});
    CHECK(prepared({"--prompt=a=b"}) == Words{"--prompt=a=b"});
}

TEST_CASE("nothing is changed after two dashes") {
    CHECK(prepared({"-MD", "--", "-MD", "--prompt=", "-n", "word"}) == Words{"--MD", "--", "-MD", "--prompt=", "-n", "word"});
}

TEST_CASE("-n before a word that is no file names -N") {
    check_error(lcm::ExitCode::usage, {"-n", "blurry", "-N"}, [] { prepared({"-n", "blurry"}); });
    const TemporaryFolder folder;
    const auto file = write_file(folder / "a.lcms", "");
    CHECK(prepared({"-n", file}) == Words{"-n", file});
    CHECK(prepared({"-n"}) == Words{"-n"});
    CHECK(prepared({"-n", "-v"}) == Words{"-n", "-v"});
    CHECK(prepared({"-p", "-n", "x"}) == Words{"-p", "-n", "x"});
}

TEST_CASE("names are escaped as make reads them") {
    CHECK(lcm::cli::escape_for_make("a b#c$d/e.txt") == "a\\ b\\#c$$d/e.txt");
    CHECK(lcm::cli::escape_for_make("plain") == "plain");
}
