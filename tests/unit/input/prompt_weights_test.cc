#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "lib/core/tensor/convert.h"
#include "lib/input/text/text_encoder.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

TextConditions conditions(const std::string& prompt, TextSettings settings, const std::string& model = "sd15",
                          const std::optional<std::string>& negative = {}) {
    TextEncoder encoder(Bundle::open(golden_model(model)), std::move(settings));
    return encoder.encode({.prompt = prompt, .negative = negative});
}

at::Tensor embeds(const std::string& prompt, PromptSyntax syntax, const std::string& model = "sd15") {
    return to_torch(conditions(prompt, {.syntax = syntax}, model).embeds);
}

std::string words(int count) {
    std::string prompt;
    for (int i = 0; i < count; ++i) prompt += "a ";
    return prompt;
}

/// Rows of one chunk.
at::Tensor chunk_of(const at::Tensor& states, std::int64_t number) { return states.narrow(0, 77 * number, 77); }

std::string embedding(const TemporaryFolder& folder, const std::vector<StoredTensor>& tensors) {
    return write_file(folder / "style.safetensors", safetensors_bytes(tensors));
}

StoredTensor ramp(const std::string& name, int rows, int width) {
    std::vector<float> numbers;
    for (int i = 0; i < rows * width; ++i) numbers.push_back(0.01F * static_cast<float>(i));
    return {name, "F32", {rows, width}, bytes_of(numbers)};
}

}  // namespace

TEST_CASE("A1111 multiplies the words' vectors and brings the mean back") {
    const at::Tensor plain = embeds("a b", PromptSyntax::plain);
    CHECK(at::equal(plain, embeds("a b", PromptSyntax::a1111)));
    at::Tensor expected = plain.clone();
    expected.select(0, 2).mul_(1.5);  // BOS, a, b
    expected = expected * (plain.mean() / expected.mean());
    CHECK(at::allclose(embeds("a (b:1.5)", PromptSyntax::a1111), expected, 1e-5, 1e-6));
}

TEST_CASE("ComfyUI moves the words' vectors away from those of the empty prompt") {
    const at::Tensor plain = embeds("a b", PromptSyntax::plain), empty = embeds("", PromptSyntax::plain);
    CHECK(at::equal(plain, embeds("a b", PromptSyntax::comfy)));
    at::Tensor expected = plain.clone();
    expected.select(0, 2).copy_((plain.select(0, 2) - empty.select(0, 2)) * 1.5 + empty.select(0, 2));
    CHECK(at::allclose(embeds("a (b:1.5)", PromptSyntax::comfy), expected, 1e-5, 1e-6));
}

TEST_CASE("long prompts become chunks, each encoded on its own") {
    const at::Tensor two = embeds("a BREAK b", PromptSyntax::a1111);
    REQUIRE(two.size(0) == 154);
    CHECK(at::equal(chunk_of(two, 0), embeds("a", PromptSyntax::plain)));
    CHECK(at::equal(chunk_of(two, 1), embeds("b", PromptSyntax::plain)));
    for (const PromptSyntax syntax : {PromptSyntax::a1111, PromptSyntax::comfy}) {
        const at::Tensor states = embeds(words(80), syntax);
        REQUIRE(states.size(0) == 154);
        CHECK(at::equal(chunk_of(states, 0), embeds(words(75), PromptSyntax::plain)));
        CHECK(at::equal(chunk_of(states, 1), embeds(words(5), PromptSyntax::plain)));
    }
    const at::Tensor comma = embeds(words(60) + ", " + words(20), PromptSyntax::a1111);
    REQUIRE(comma.size(0) == 154);
    CHECK(at::equal(chunk_of(comma, 0), embeds(words(60) + ",", PromptSyntax::plain)));
    CHECK(at::equal(chunk_of(comma, 1), embeds(words(20), PromptSyntax::plain)));
    CHECK(embeds(words(80), PromptSyntax::a1111, "sdxl").size(0) == 154);
}

TEST_CASE("a prompt and its negative get as many tokens as each other") {
    const TextConditions both = conditions("a BREAK b", {.syntax = PromptSyntax::a1111}, "sd15", "c");
    CHECK(both.embeds.shape == both.negative.shape);
    CHECK(both.ids.shape.front() == both.embeds.shape.front());
    const at::Tensor once = to_torch(both.negative);
    CHECK(at::equal(chunk_of(once, 0), chunk_of(once, 1)));
    const TextConditions other = conditions("a", {.syntax = PromptSyntax::a1111}, "sdxl", "b BREAK c BREAK d");
    CHECK(other.embeds.shape == other.negative.shape);
    CHECK(other.embeds.shape.front() == 231);
}

TEST_CASE("clip-skip beyond the layers is refused") {
    check_error(ExitCode::usage, {"--clip-skip", "5", "0 to 4"}, [] { conditions("a", {.clip_skip = 5}); });
    check_error(ExitCode::usage, {"--clip-skip", "3", "0 to 2"}, [] { conditions("a", {.clip_skip = 3}, "sdxl"); });
}

TEST_CASE("learned vectors take the places of their name") {
    const TemporaryFolder folder;
    const Bundle sd15 = Bundle::open(golden_model("sd15")), sdxl = Bundle::open(golden_model("sdxl"));
    const auto encoded = [](const std::string& prompt, const TextualInversion& one) { return conditions(prompt, {.inversions = {one}}); };
    const TextualInversion two = read_textual_inversion("style", embedding(folder, {ramp("emb_params", 2, 32)}), sd15);
    CHECK(two.vectors.at(Part::text_encoder).size(0) == 2);
    const at::Tensor ids = to_torch(encoded("a style b", two).ids);
    const at::Tensor bare = to_torch(conditions("a b", {}).ids);
    CHECK(ids[1].item<int>() == bare[1].item<int>());
    CHECK(ids[4].item<int>() == bare[2].item<int>());  // two places later
    const at::Tensor with = to_torch(encoded("a style b", two).embeds);
    CHECK(at::equal(with, to_torch(encoded("a embedding:style b", two).embeds)));
    CHECK_FALSE(at::equal(with, to_torch(conditions("a style b", {}).embeds)));
    CHECK(at::equal(to_torch(encoded("a styles b", two).embeds), to_torch(conditions("a styles b", {}).embeds)));
    const TextualInversion one = read_textual_inversion("<cat>", embedding(folder, {ramp("<cat>", 1, 32)}), sd15);
    CHECK(one.vectors.at(Part::text_encoder).size(0) == 1);
    CHECK(split_at_names("a<cat>", {one}).size() == 2);
    const TextualInversion xl = read_textual_inversion("s", embedding(folder, {ramp("clip_g", 1, 48), ramp("clip_l", 1, 32)}), sdxl);
    CHECK(xl.vectors.at(Part::text_encoder_2).size(1) == 48);
    CHECK(conditions("s", {.inversions = {xl}}, "sdxl").embeds.shape.front() == 77);
}

TEST_CASE("embedding files that do not fit name file and tensor") {
    const TemporaryFolder folder;
    const Bundle sd15 = Bundle::open(golden_model("sd15")), sdxl = Bundle::open(golden_model("sdxl"));
    const auto refused = [&](const std::vector<StoredTensor>& tensors, const Bundle& bundle, std::initializer_list<std::string_view> says) {
        const std::string path = embedding(folder, tensors);
        check_error(ExitCode::data, {path}, [&] { read_textual_inversion("s", path, bundle); });
        check_error(ExitCode::data, says, [&] { read_textual_inversion("s", path, bundle); });
    };
    refused({ramp("emb_params", 1, 48)}, sd15, {"emb_params", "width 32"});
    refused({ramp("clip_g", 1, 48), ramp("clip_l", 1, 32)}, sd15, {"two text encoders"});
    refused({ramp("emb_params", 1, 32)}, sdxl, {"one text encoder"});
    refused({ramp("clip_l", 1, 32)}, sdxl, {"clip_g", "missing"});
    refused({ramp("clip_g", 2, 48), ramp("clip_l", 1, 32)}, sdxl, {"clip_g", "2 vectors"});
    refused({ramp("one", 1, 32), ramp("two", 1, 32)}, sd15, {"no embedding"});
    refused({{"emb_params", "I32", {1, 32}, zeros(128)}}, sd15, {"emb_params", "I32"});
    refused({{"emb_params", "F32", {1, 2, 32}, zeros(256)}}, sd15, {"emb_params", "width 32"});
}
