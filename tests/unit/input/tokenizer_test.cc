#include "lib/input/text/tokenizer.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "lib/input/text/bpe.h"
#include "lib/input/text/unicode.h"
#include "lib/input/text/words.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

using Ids = std::vector<std::int32_t>;

// The small vocabulary: 998 is <|startoftext|>, 999 is <|endoftext|>, 0 is "!", 256 is "!" at a word's end.
std::string tiny_folder() { return std::string(std::getenv("LCM_TESTDATA")) + "/golden/models/sd15/tokenizer"; }

/// The small vocabulary under another configuration.
Tokenizer open_with(const TemporaryFolder& folder, const std::string& config, const std::string& map = {}, const std::string& added = {}) {
    for (const char* name : {"vocab.json", "merges.txt"}) write_file(folder / name, read_file(tiny_folder() + "/" + name));
    write_file(folder / "tokenizer_config.json", config);
    for (const auto& [name, text] : {std::pair("special_tokens_map.json", map), std::pair("added_tokens.json", added)}) {
        std::filesystem::remove(folder / name);
        if (!text.empty()) write_file(folder / name, text);
    }
    return Tokenizer::open(folder.path());
}

/// Ids of a prompt without BOS and EOS.
Ids inner(const Tokenizer& tokenizer, const std::string& prompt) {
    const Ids ids = tokenizer.encode(prompt);
    REQUIRE(ids.size() >= 2);
    CHECK(ids.front() == tokenizer.bos());
    CHECK(ids.back() == tokenizer.eos());
    return Ids(ids.begin() + 1, ids.end() - 1);
}

std::vector<std::string> words(std::u32string_view text) {
    const std::u32string normal = normalize_prompt(text);
    std::vector<std::string> found;
    for (const std::u32string_view word : split_words(normal)) found.push_back(unicode::encode(word));
    return found;
}

double seconds_to_encode(const Tokenizer& tokenizer, const std::string& prompt) {
    const auto start = std::chrono::steady_clock::now();
    tokenizer.encode(prompt);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string repeated(const std::string& text, std::size_t bytes) {
    std::string all;
    while (all.size() + text.size() <= bytes) all += text;
    return all;
}

}  // namespace

TEST_CASE("words") {
    using Words = std::vector<std::string>;
    CHECK(words(U"") == Words{});
    CHECK(words(U"  A\t\nCat ") == Words{"a", "cat"});
    CHECK(words(U"It's we'LL 'Sabre o'clock'") == Words{"it", "'s", "we", "'ll", "'s", "abre", "o", "'", "clock", "'"});
    CHECK(words(U"a1b22?!..c") == Words{"a", "1", "b", "2", "2", "?!..", "c"});
    CHECK(words(U"!<|endoftext|>.") == Words{"!<|", "endoftext", "|>."});
    CHECK(words(U"<|EndOfText|>.") == Words{"<|", "endoftext", "|>", "."});
}

TEST_CASE("padding and truncation keep BOS and EOS") {
    const Tokenizer tokenizer = Tokenizer::open(tiny_folder());
    REQUIRE(tokenizer.length() == 77);
    CHECK(tokenizer.pad() == 999);
    std::size_t cut = 1;
    Ids ids = tokenizer.encode_padded("", &cut);
    CHECK(cut == 0);
    CHECK(ids.size() == 77);
    CHECK(ids[0] == 998);
    CHECK(std::vector(ids.begin() + 1, ids.end()) == Ids(76, 999));

    ids = tokenizer.encode_padded(repeated("! ", 150), &cut);  // 75 tokens: just fits
    CHECK(cut == 0);
    CHECK(std::vector(ids.begin() + 1, ids.end() - 1) == Ids(75, 256));
    const Ids longer = tokenizer.encode_padded(repeated("! ", 180), &cut);
    CHECK(cut == 15);
    CHECK(longer == ids);
    CHECK(longer == tokenizer.encode_padded(repeated("! ", 180)));
}

TEST_CASE("the configuration decides which tokens are special, and where they are found") {
    const TemporaryFolder folder;
    const std::string start = R"("model_max_length": 77, "bos_token": "<|startoftext|>")";
    const std::string end_anywhere = R"({"__type": "AddedToken", "content": "<|endoftext|>", "normalized": true})";
    const std::string end_roles = R"(, "eos_token": )" + end_anywhere + R"(, "unk_token": )" + end_anywhere;

    SUBCASE("bare strings: only as written") {
        const Tokenizer tokenizer = open_with(folder, "{" + start + R"(, "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"})");
        CHECK(inner(tokenizer, "!<|endoftext|>") == Ids{256, 999});
        CHECK(inner(tokenizer, "<|EndOfText|>").size() > 1);
        CHECK(tokenizer.pad() == 999);
    }
    SUBCASE("normalized: in any case of letters; a padding token is found in prompts too") {
        const Tokenizer tokenizer = open_with(folder, "{" + start + end_roles + R"(, "pad_token": "!"})");
        CHECK(inner(tokenizer, "<|EndOfText|>a!!") == Ids{999, 320, 0, 0});
        CHECK(tokenizer.pad() == 0);
    }
    SUBCASE("the same text twice: the later role's flags count") {
        const Tokenizer tokenizer = open_with(folder, "{" + start + end_roles + R"(, "pad_token": "<|endoftext|>"})");
        CHECK(inner(tokenizer, "<|EndOfText|>").size() > 1);
    }
    SUBCASE("special_tokens_map.json overrules") {
        const Tokenizer tokenizer = open_with(folder, "{" + start + R"(, "pad_token": "<|endoftext|>"})", R"({"pad_token": "!"})");
        CHECK(tokenizer.pad() == 0);
        CHECK(inner(tokenizer, "!") == Ids{0});
    }
    SUBCASE("but not where there is added_tokens_decoder") {
        const std::string decoder = R"(, "added_tokens_decoder": {"999": {"content": "<|endoftext|>", "normalized": true}})";
        const Tokenizer tokenizer = open_with(folder, "{" + start + decoder + "}", R"({"pad_token": "!"})");
        CHECK(tokenizer.pad() == 999);
        CHECK(inner(tokenizer, "!<|EndOfText|>") == Ids{256, 999});
    }
    SUBCASE("tokens beyond the vocabulary get the next ids; of two at one place the longer is found") {
        const Tokenizer tokenizer = open_with(folder, "{" + start + "}", {}, R"({"<cat>": 1000, "<cat>s": 1001})");
        CHECK(inner(tokenizer, "a<CAT>s<cat>!") == Ids{320, 1001, 1000, 256});
    }
}

TEST_CASE("a tokenizer folder that cannot be used is refused by name") {
    const TemporaryFolder folder;
    const std::string good = R"({"model_max_length": 77})";
    const auto open = [&](const std::string& config) { return [&folder, config] { open_with(folder, config); }; };
    check_error(ExitCode::no_input, {"tokenizer_config.json"}, [&] { Tokenizer::open(folder.path()); });
    check_error(ExitCode::data, {"tokenizer_config.json", "model_max_length"}, open("{}"));
    check_error(ExitCode::data, {"model_max_length", "outside"}, open(R"({"model_max_length": 1})"));
    check_error(ExitCode::data, {"bos_token", "lstrip"}, open(R"({"model_max_length": 77, "bos_token": {"content": "", "lstrip": true}})"));
    check_error(ExitCode::data, {"additional_special_tokens"}, open(R"({"model_max_length": 77, "additional_special_tokens": ["x"]})"));
    check_error(ExitCode::data, {"empty"}, open(R"({"model_max_length": 77, "bos_token": ""})"));
    open_with(folder, good);
    write_file(folder / "merges.txt", "#version: 0.2\ni n\nq zz\n");
    check_error(ExitCode::data, {"merges.txt: line 3", "\"zz\""}, [&] { Tokenizer::open(folder.path()); });
    write_file(folder / "merges.txt", "i n\n\n");
    check_error(ExitCode::data, {"merges.txt: line 2", "two tokens"}, [&] { Tokenizer::open(folder.path()); });
    write_file(folder / "vocab.json", R"({"a": -1})");
    check_error(ExitCode::data, {"vocab.json", "\"a\"", "-1"}, [&] { Tokenizer::open(folder.path()); });
    write_file(folder / "vocab.json", R"({"a": 1})");
    check_error(ExitCode::data, {"vocab.json", "neither", "<|endoftext|>"}, [&] { Tokenizer::open(folder.path()); });
}

TEST_CASE("byte pairs: the most urgent first, then the leftmost; unknown symbols one by one") {
    const TemporaryFolder folder;
    const Vocabulary vocabulary = {{"?", 9}, {"a", 0}, {"a</w>", 1}, {"b</w>", 2}, {"aa", 3}, {"aaaa", 4}, {"aab</w>", 5}, {"ab</w>", 6}};
    const auto encode = [&](const std::string& merges, const std::string& word) {
        const BytePairEncoding pairs(vocabulary, write_file(folder / "merges.txt", merges), "?");
        Ids ids;
        pairs.encode(word, ids);
        return ids;
    };
    CHECK(encode("a a\na b</w>\naa aa\naa b</w>\n", "aaaab") == Ids{4, 2});
    CHECK(encode("a a\na b</w>\naa aa\naa b</w>\n", "aaab") == Ids{3, 6});
    CHECK(encode("a b</w>\na a\n", "aaab") == Ids{3, 6});
    CHECK(encode("a a\naa b</w>\n", "aab") == Ids{5});
    CHECK(encode("#version: 0.2\r\na a\r\n", "aaa") == Ids{3, 1});
    CHECK(encode("a a\n", "aaca") == Ids{3, 9, 1});
    CHECK(encode("a a\n", "\xff\xfe") == Ids{9, 9});
    CHECK(encode("", "a") == Ids{1});
}

TEST_CASE("a prompt of 64 KiB takes bounded time") {
    const Tokenizer tokenizer = Tokenizer::open(tiny_folder());
    constexpr std::size_t size = 65536;
    // Some hundredths of a second each; anything quadratic takes many seconds.
    constexpr double most = 2.0;
    CHECK(seconds_to_encode(tokenizer, std::string(size, 'a')) < most);
    CHECK(seconds_to_encode(tokenizer, repeated("in", size)) < most);
    CHECK(seconds_to_encode(tokenizer, std::string(size, '<')) < most);
}
