#include "lib/input/text/text_encoder.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "lib/base/json.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/weights/weight_file.h"
#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

std::string golden_folder() { return std::string(std::getenv("LCM_TESTDATA")) + "/golden"; }
Bundle bundle(const std::string& name) { return Bundle::open(golden_folder() + "/models/" + name, name); }

Record record_of(const std::string& prompt) {
    Record record;
    record.place = "record 3";
    record.set(key::prompt, prompt);
    return record;
}

Record enriched(TextEncoder& encoder, Record record) {
    encoder.enrich(record);
    return record;
}

bool same_bytes(const TensorBytes& a, const TensorBytes& b) {
    return a.dtype == b.dtype && a.shape == b.shape && std::equal(a.data.begin(), a.data.end(), b.data.begin(), b.data.end());
}

std::string warnings_of(const std::function<void()>& action) {
    const TemporaryFolder folder;
    const int saved = ::dup(STDERR_FILENO);
    const int file = ::open((folder / "log").c_str(), O_WRONLY | O_CREAT, 0600);
    ::dup2(file, STDERR_FILENO);
    action();
    ::dup2(saved, STDERR_FILENO);
    ::close(saved);
    ::close(file);
    return read_file(folder / "log");
}

std::string words(int count) {
    std::string prompt;
    for (int i = 0; i < count; ++i) prompt += "a ";
    return prompt;
}

/// The prompts of the reference's case text/`model`.
Json::Array golden_prompts(const std::string& model) {
    const Json cases = read_json_file(golden_folder() + "/cases.json");
    for (const Json& one : cases.at("cases").as_array())
        if (one.at("id").as_string() == "text/" + model) return one.at("args").at("prompts").as_array();
    FAIL("no case text/", model);
    return {};
}

}  // namespace

TEST_CASE("prompts give the reference's ids and embeddings") {
    for (const std::string model : {"sd15", "lcm"}) {
        INFO("model ", model);
        TextEncoder encoder(bundle(model));
        const WeightFile golden(golden_folder() + "/expected/text/" + model + ".safetensors");
        const at::Tensor ids = golden.view("in.ids"), last = golden.view("out.last");
        const Json::Array prompts = golden_prompts(model);
        REQUIRE(static_cast<std::int64_t>(prompts.size()) == ids.size(0));
        for (std::int64_t i = 0; i < ids.size(0); ++i) {
            Record record;
            warnings_of([&] { record = enriched(encoder, record_of(prompts[static_cast<std::size_t>(i)].as_string())); });
            const TensorBytes& embeds = record.tensor(tensor::text_embeds);
            CHECK(embeds.dtype == Dtype::F32);
            CHECK(embeds.shape == std::vector<std::int64_t>{77, last.size(2)});
            CHECK(record.tensor(tensor::text_ids).dtype == Dtype::I32);
            CHECK(at::equal(to_torch(record.tensor(tensor::text_ids)).to(at::kLong), ids[i]));
            // The golden set's own tolerance for text encoders on another kernel library.
            CHECK(at::allclose(to_torch(embeds), last[i], 2e-5, 3e-5));
        }
    }
}

TEST_CASE("what a record says after encoding") {
    const Bundle model = bundle("sd15");
    TextEncoder encoder(model);
    Record record = record_of("a cat");
    record.set("x.note", "kept");
    encoder.enrich(record);
    CHECK(record.at(key::kind) == kind::cond);
    CHECK(record.at(key::arch) == "sd15");
    CHECK(record.at(key::model) == "sd15");
    CHECK(record.at(key::text_sha256) == model.sha256(Part::text_encoder));
    CHECK(record.at(key::prompt_weights) == "none");
    CHECK(record.at(key::clip_skip) == "0");
    CHECK(record.at(key::prompt) == "a cat");
    CHECK(record.at("x.note") == "kept");
    CHECK(record.find(key::id) == nullptr);
    CHECK(record.find(key::negative_prompt) == nullptr);

    Record latent = record_of("a cat");
    latent.set(key::kind, "latent");
    encoder.enrich(latent);
    CHECK(latent.at(key::kind) == "latent");
    encoder.enrich(latent);  // its own hash is no other model's
}

TEST_CASE("the negative prompt is encoded unless the UNet takes a guidance embedding") {
    TextEncoder guided(bundle("lcm"));
    CHECK(enriched(guided, record_of("a cat")).tensors.size() == 2);

    TextEncoder encoder(bundle("sd15"));
    Record record = record_of("a cat");
    record.set(key::negative_prompt, "a dog");
    encoder.enrich(record);
    const Record dog = enriched(encoder, record_of("a dog")), empty = enriched(encoder, record_of(""));
    CHECK(same_bytes(record.tensor(tensor::text_negative_embeds), dog.tensor(tensor::text_embeds)));
    CHECK(same_bytes(dog.tensor(tensor::text_negative_embeds), empty.tensor(tensor::text_embeds)));
    CHECK_FALSE(same_bytes(dog.tensor(tensor::text_embeds), empty.tensor(tensor::text_embeds)));
}

TEST_CASE("a prompt's bytes do not depend on what else is encoded, nor on how much") {
    TextEncoder fresh(bundle("sd15")), used(bundle("sd15"));
    const Record first = enriched(fresh, record_of("a cat"));
    for (int i = 0; i < 20; ++i) enriched(used, record_of(std::to_string(i)));
    const Record later = enriched(used, record_of("a cat")), again = enriched(used, record_of("a cat"));
    for (const auto& [name, value] : first.tensors) {
        INFO(name);
        CHECK(same_bytes(value, later.tensor(name)));
        CHECK(later.tensor(name).data.data() == again.tensor(name).data.data());  // kept, not encoded twice
    }
    const Record other = enriched(used, record_of("a dog"));
    CHECK(other.tensor(tensor::text_negative_embeds).data.data() == later.tensor(tensor::text_negative_embeds).data.data());
}

TEST_CASE("a cut prompt is warned of, each time") {
    TextEncoder encoder(bundle("sd15"));
    CHECK(warnings_of([&] { enriched(encoder, record_of(words(75))); }).empty());
    for (int i = 0; i < 2; ++i) {
        const std::string warning = warnings_of([&] { enriched(encoder, record_of(words(90))); });
        CHECK(warning == "prompt is 90 tokens long; the last 15 were cut\n");
    }
    Record record = record_of("a");
    record.set(key::negative_prompt, words(76));
    CHECK(warnings_of([&] { encoder.enrich(record); }) == "negative prompt is 76 tokens long; the last one was cut\n");
}

TEST_CASE("prompts and records that are refused") {
    TextEncoder encoder(bundle("sd15"));
    const auto encode = [&](Record record) { return [&encoder, record] { enriched(encoder, record); }; };
    check_error(ExitCode::data, {"record 3", "lcm.prompt"}, [&] {
        Record record;
        record.place = "record 3";
        encoder.enrich(record);
    });
    check_error(ExitCode::data, {"record 3: lcm.prompt", "65537", "65536"}, encode(record_of(std::string(65537, 'a'))));
    check_error(ExitCode::data, {"record 3: lcm.prompt", "NUL", "byte 1"}, encode(record_of(std::string("a\0b", 3))));
    check_error(ExitCode::data, {"record 3: lcm.prompt", "UTF-8"}, encode(record_of("\xed\xa0\x80")));
    Record record = record_of("a");
    record.set(key::negative_prompt, "\xff");
    check_error(ExitCode::data, {"record 3: lcm.negative_prompt", "UTF-8"}, encode(record));

    record = record_of("a");
    record.set(key::text_sha256, std::string(64, '0'));
    check_error(ExitCode::data, {"record 3", "lcm.text_sha256", "sd15"}, encode(record));
    record = record_of("a");
    record.set(key::arch, "sdxl");
    check_error(ExitCode::data, {"record 3", "lcm.arch", "sdxl", "sd15"}, encode(record));
    CHECK(record.tensors.empty());
}

TEST_CASE("SDXL gets both text encoders and their pooled text") {
    TextEncoder encoder(bundle("sdxl"));
    const Record record = enriched(encoder, record_of("a cat"));
    CHECK(record.tensor(tensor::text_embeds).shape == std::vector<std::int64_t>{77, 80});
    CHECK(record.tensor(tensor::text_pooled).shape == std::vector<std::int64_t>{48});
    CHECK(record.tensor(tensor::text_negative_pooled).shape == std::vector<std::int64_t>{48});
    CHECK(record.at(key::arch) == "sdxl");
    CHECK(to_torch(record.tensor(tensor::text_negative_embeds)).abs().sum().item<float>() == 0);  // none: zeros, not the empty prompt
    Record empty = record_of("a cat");
    empty.set(key::negative_prompt, "");
    encoder.enrich(empty);
    CHECK(to_torch(empty.tensor(tensor::text_negative_embeds)).abs().sum().item<float>() > 0);
}

TEST_CASE("models that cannot be used") {
    const TemporaryFolder folder;
    std::filesystem::copy(golden_folder() + "/models/sdxl", folder / "model", std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(folder / "model/text_encoder_2");
    check_error(ExitCode::no_input, {folder / "model", "two text encoders", "text_encoder_2"},
                [&] { TextEncoder encoder(Bundle::open(folder / "model")); });
}
