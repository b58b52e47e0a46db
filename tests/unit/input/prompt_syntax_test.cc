#include "lib/input/text/prompt_syntax.h"

#include <doctest/doctest.h>

using namespace lcm;

namespace {

using Pieces = std::vector<PromptPiece>;

Pieces a1111(std::string_view prompt) { return parse_prompt(prompt, PromptSyntax::a1111); }
Pieces comfy(std::string_view prompt) { return parse_prompt(prompt, PromptSyntax::comfy); }

/// Texts as they must be, weights up to rounding.
void check_pieces(const Pieces& got, const Pieces& want) {
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        INFO("piece ", i);
        CHECK(got[i].text == want[i].text);
        CHECK(got[i].weight == doctest::Approx(want[i].weight).epsilon(1e-12));
        CHECK(got[i].new_chunk == want[i].new_chunk);
    }
}

}  // namespace

TEST_CASE("the plain syntax takes every sign as text") {
    CHECK(parse_prompt("a (b:1.2) [c] BREAK \\(d", PromptSyntax::plain) == Pieces{{"a (b:1.2) [c] BREAK \\(d"}});
}

TEST_CASE("weights as the web UI reads them") {
    check_pieces(a1111("normal text"), {{"normal text"}});
    check_pieces(a1111(""), {{""}});
    check_pieces(a1111("an (important) word"), {{"an "}, {"important", 1.1}, {" word"}});
    check_pieces(a1111("(unbalanced"), {{"unbalanced", 1.1}});
    check_pieces(a1111("[[less]"), {{"less", 1 / 1.21}});
    check_pieces(a1111("\\(literal\\]"), {{"(literal]"}});
    check_pieces(a1111("(unnecessary)(parens)"), {{"unnecessaryparens", 1.1}});
    check_pieces(a1111("a (((house:1.3)) [on] a (hill:0.5), sun, (((sky)))."), {{"a "},
                                                                                {"house", 1.3 * 1.1 * 1.1},
                                                                                {" ", 1.1},
                                                                                {"on", 1},
                                                                                {" a ", 1.1},
                                                                                {"hill", 0.55},
                                                                                {", sun, ", 1.1},
                                                                                {"sky", 1.1 * 1.1 * 1.1 * 1.1},
                                                                                {".", 1.1}});
    check_pieces(a1111("(a:-.5)"), {{"a", -0.5}});
    check_pieces(a1111("(a:b)"), {{"a:b", 1.1}});
    check_pieces(a1111("a:1.2)"), {{"a:1.2)"}});
    check_pieces(a1111("a\\b"), {{"ab"}});
}

TEST_CASE("BREAK begins a chunk where it stands as a word") {
    check_pieces(a1111("a BREAK b"), {{"a"}, {"b", 1, true}});
    check_pieces(a1111("BREAK"), {{""}, {"", 1, true}});
    check_pieces(a1111("a BREAKS b break"), {{"a BREAKS b break"}});
    check_pieces(comfy("a BREAK b"), {{"a BREAK b"}});
}

TEST_CASE("weights as ComfyUI reads them") {
    check_pieces(comfy("a (b) c"), {{"a "}, {"b", 1.1}, {" c"}});
    check_pieces(comfy("(a (b:1.5) c:0.5)"), {{"a ", 0.5}, {"b", 1.5}, {" c", 0.5}});  // a number takes the place of what is around it
    check_pieces(comfy("((a))"), {{"a", 1.21}});
    check_pieces(comfy("[a]"), {{"[a]"}});
    check_pieces(comfy("\\(a\\) (b:c)"), {{"(a) "}, {"b:c", 1.1}});
    check_pieces(comfy("(open"), {{"(open"}});
    check_pieces(comfy("shut) (a)"), {{"shut) (a)"}});
    check_pieces(comfy(""), {{""}});
    check_pieces(comfy("()"), {{""}});
}
