#include "lib/input/text/tokenizer.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/golden/golden_case.h"

using namespace lcm;

namespace {

std::vector<std::string> prompts_of(const golden::Case& one) {
    const at::Tensor utf8 = one.input("utf8").contiguous(), lengths = one.input("bytes").to(at::kLong).contiguous();
    std::vector<std::string> prompts;
    const auto* text = reinterpret_cast<const char*>(utf8.const_data_ptr<std::uint8_t>());
    for (std::int64_t i = 0; i < lengths.numel(); ++i) {
        const auto length = static_cast<std::size_t>(lengths.const_data_ptr<std::int64_t>()[i]);
        prompts.emplace_back(text, length);
        text += length;
    }
    return prompts;
}

/// The case's tokenizer: a folder of the golden models, or the vocabulary that ships.
Tokenizer open(const golden::Case& one) {
    const std::string name = one.args().at("tokenizer").as_string();
    if (name.starts_with("models/")) return Tokenizer::open(golden::folder() + "/" + name);
    const std::string merges = std::string(std::getenv("LCM_SOURCE_ROOT")) + "/lib/models/clip-bpe/merges.txt";
    return Tokenizer::open_published(merges, one.args().at("pad_token").as_string() == "!");
}

golden::Results tokenize(const golden::Case& one) {
    const Tokenizer tokenizer = open(one);
    CHECK(tokenizer.length() == static_cast<std::size_t>(one.args().at("max_length").as_integer()));
    CHECK(tokenizer.pad() == one.args().at("pad_id").as_integer());
    CHECK(tokenizer.bos() == one.args().at("bos_id").as_integer());
    CHECK(tokenizer.eos() == one.args().at("eos_id").as_integer());
    std::vector<at::Tensor> ids, mask, full;
    std::vector<std::int32_t> full_length;
    for (const std::string& prompt : prompts_of(one)) {
        full.push_back(at::tensor(tokenizer.encode(prompt)));
        full_length.push_back(static_cast<std::int32_t>(full.back().numel()));
        ids.push_back(at::tensor(tokenizer.encode_padded(prompt)));
        std::vector<std::uint8_t> used(tokenizer.length(), 1);
        std::fill(used.begin() + std::min<std::ptrdiff_t>(full_length.back(), used.size()), used.end(), 0);
        mask.push_back(at::tensor(used));
    }
    return {{"ids", at::stack(ids)}, {"mask", at::stack(mask)}, {"full", at::cat(full)}, {"full_len", at::tensor(full_length)}};
}

}  // namespace

TEST_CASE("the tokenizer gives the reference's ids") { golden::check_group("tokenizer", tokenize); }
