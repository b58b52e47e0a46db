#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include <cstring>
#include <functional>

#include "lib/base/bytes.h"
#include "lib/stream/reader.h"
#include "lib/stream/writer.h"
#include "tests/unit/sampling/denoise_support.h"

using namespace lcm;
using namespace lcm::test;

namespace {

/// The record as another process would read it.
Record through_a_pipe(Record record) {
    record.final = true;
    Bytes bytes;
    RecordWriter writer(sink_to_memory(bytes, "pipe"));
    writer.write(record);
    writer.finish();
    Record read = RecordReader(source_from_memory(bytes, "pipe")).next().value();
    read.place = "record 0";
    return read;
}

Record half_done() {
    static const Record record = denoise(Model::lcm(), conditioning(Model::lcm()), until(small(3), 1));
    return record;
}

void check_tampered(std::initializer_list<std::string_view> words, const std::function<void(Record&)>& change) {
    test::check_tampered(Model::lcm(), half_done(), words, change);
}

void check_contradiction(std::initializer_list<std::string_view> words, const std::function<void(DenoiseRequest&)>& change) {
    test::check_contradiction(Model::lcm(), half_done(), words, change);
}

}  // namespace

TEST_CASE("a run in two parts gives the record of one run, for every split") {
    for (const Model* model : {&Model::lcm(), &Model::sd15()}) {
        for (int steps = 1; steps <= 4; ++steps) {
            CAPTURE(steps);
            const Record whole = check_splits(*model, conditioning(*model), small(steps));
            DenoiseRequest passing;
            passing.from = steps;
            check_same(denoise(*model, denoise(*model, conditioning(*model), until(small(steps), steps)), passing), whole);
        }
    }
}

TEST_CASE("a run step by step through pipes gives the record of one run") {
    const Model& model = Model::sd15();
    Record record = conditioning(model);
    for (int step = 0; step <= 4; ++step) record = through_a_pipe(denoise(model, record, until(small(4), step)));
    check_same(record, denoise(model, conditioning(model), small(4)));
}

TEST_CASE("a run that starts from the record's own noise splits too") {
    const Model& model = Model::lcm();
    Record input = conditioning(model);
    input.tensors.emplace(tensor::noise, from_torch(NoiseGenerator(5).normal({4, 5, 9})));
    const Record whole = check_splits(model, input, small(3));
    CHECK_FALSE(same_tensor(whole.tensor(tensor::latent), denoise(model, conditioning(model), small(3)).tensor(tensor::latent)));
}

TEST_CASE("an unfinished record carries its state") {
    const Record record = half_done();
    CHECK(record.at(key::kind) == "latent");
    CHECK(record.at(key::step) == "1");
    CHECK(record.at(key::steps) == "3");
    CHECK(record.at(key::timesteps) == "[999,679,339]");
    CHECK(record.at(key::timestep) == "679");
    CHECK(record.at(key::rng_draws) == "2");
    CHECK(record.tensor(tensor::latent).shape == std::vector<std::int64_t>{4, 5, 9});
    CHECK(record.tensor(tensor::latent_denoised).shape == std::vector<std::int64_t>{4, 5, 9});
    CHECK(record.tensor(tensor::rng_state).shape == std::vector<std::int64_t>{5056});
    CHECK(record.tensors.contains(tensor::text_embeds));
    CHECK(record.tensors.contains(tensor::text_negative_embeds));
}

TEST_CASE("a saved state that contradicts itself is refused") {
    check_tampered({"lcm.timesteps", "[999,679,340]", "[999,679,339]"}, [](Record& r) { r.set(key::timesteps, "[999,679,340]"); });
    check_tampered({"lcm.timestep", "339", "679"}, [](Record& r) { r.set(key::timestep, "339"); });
    check_tampered({"lcm.schedule"}, [](Record& r) { r.set(key::schedule, "{\"original_inference_steps\":2}"); });
    check_tampered({"lcm.schedule"}, [](Record& r) { r.set(key::schedule, "{\"warp\":2}"); });
    check_tampered({"lcm.schedule"}, [](Record& r) { r.set(key::schedule, "null"); });
    check_tampered({"lcm.sampler", "warp"}, [](Record& r) { r.set(key::sampler, "warp"); });
    check_tampered({"lcm.step", "4", "3"}, [](Record& r) { r.set(key::step, "4"); });
    check_tampered({"lcm.step"}, [](Record& r) { r.set(key::step, "-1"); });
    check_tampered({"lcm.steps"}, [](Record& r) { r.set(key::steps, "many"); });
    check_tampered({"lcm.guidance"}, [](Record& r) { r.set(key::guidance, "high"); });
    check_tampered({"lcm.seed"}, [](Record& r) { r.set(key::seed, "1.5"); });
    check_tampered({"rng.state", "77", "78"}, [](Record& r) { r.set(key::seed, "78"); });
    check_tampered({"lcm.rng_draws"}, [](Record& r) { r.set(key::rng_draws, ""); });
    check_tampered({"lcm.size"}, [](Record& r) { r.set(key::size, "72"); });
    check_tampered({"lcm.size"}, [](Record& r) { r.set(key::size, "72x"); });
    check_tampered({"73x40"}, [](Record& r) { r.set(key::size, "73x40"); });
    check_tampered({"latent", "[4,5,9]"}, [](Record& r) { r.set(key::size, "80x40"); });
    check_tampered({"lcm.precision", "bf16"}, [](Record& r) { r.set(key::precision, "bf16"); });
    check_tampered({"lcm.rng", "none"}, [](Record& r) { r.set(key::rng, "none"); });
    check_tampered({"lcm.latent_space", "vae"}, [](Record& r) { r.set(key::latent_space, "vae"); });
    for (const std::string_view name : {key::timestep, key::schedule, key::guidance, key::seed, key::rng_draws, key::size, key::sampler})
        check_tampered({name}, [&](Record& r) { r.metadata.erase(std::string(name)); });
    for (const std::string_view name : {tensor::latent, tensor::latent_denoised, tensor::rng_state, tensor::text_embeds})
        check_tampered({name}, [&](Record& r) { r.tensors.erase(std::string(name)); });
    check_tampered({"latent", "F32"}, [](Record& r) {
        r.tensors.at(std::string(tensor::latent)) = from_torch(at::zeros({4, 5, 9}, at::TensorOptions().dtype(at::kHalf)));
    });
    check_tampered({"rng.state"}, [](Record& r) {
        const TensorBytes& state = r.tensor(tensor::rng_state);
        Bytes bytes(state.data.begin(), state.data.end());
        const std::uint64_t next = 100'000;
        std::memcpy(bytes.data() + 16, &next, sizeof next);
        r.tensors.at(std::string(tensor::rng_state)) = make_tensor(state.dtype, state.shape, std::move(bytes));
    });
}

TEST_CASE("a record is not resumed with another model") {
    check_tampered({"lcm.unet_sha256", std::string(64, '0'), "lcm"}, [](Record& r) { r.set(key::unet_sha256, std::string(64, '0')); });
    check_tampered({"lcm.arch", "sdxl", "sd15"}, [](Record& r) { r.set(key::arch, "sdxl"); });
    check_tampered({"lcm.vae_scale", "0.13025", "0.18215"}, [](Record& r) { r.set(key::vae_scale, "0.13025"); });
}

TEST_CASE("a request that contradicts a started record is refused, one that repeats it is not") {
    check_contradiction({"steps", "3"}, [](DenoiseRequest& r) { r.steps = 4; });
    check_contradiction({"guidance", "2.5"}, [](DenoiseRequest& r) { r.guidance = 2; });
    check_contradiction({"width", "72x40"}, [](DenoiseRequest& r) { r.width = 64; });
    check_contradiction({"height", "72x40"}, [](DenoiseRequest& r) { r.height = 64; });
    check_contradiction({"original steps", "50"}, [](DenoiseRequest& r) { r.original_steps = 100; });
    check_contradiction({"timesteps", "[999,679,339]"}, [](DenoiseRequest& r) { r.timesteps = {{999, 499}}; });
    check_contradiction({"from", "2", "step 1"}, [](DenoiseRequest& r) { r.from = 2; });
    check_contradiction({"to", "0", "1..3"}, [](DenoiseRequest& r) { r.to = 0; });
    check_contradiction({"to", "4", "1..3"}, [](DenoiseRequest& r) { r.to = 4; });

    DenoiseRequest same = small(3);
    same.from = 1;
    same.original_steps = 50;
    same.timesteps = {{999, 679, 339}};
    same.seed = 5;  // a started record keeps its own
    check_same(denoise(Model::lcm(), half_done(), same), denoise(Model::lcm(), half_done(), {}));
}

TEST_CASE("a finished record is passed on only when that is asked for") {
    const Record done = denoise(Model::lcm(), conditioning(Model::lcm()), small(2));
    check_error(ExitCode::data, {"record 0", "already denoised", "2 steps"}, [&] { denoise(Model::lcm(), done, {}); });
    DenoiseRequest request;
    request.from = 2;
    check_same(denoise(Model::lcm(), done, request), done);
    request.from = 1;
    check_error(ExitCode::usage, {"from", "step 2"}, [&] { denoise(Model::lcm(), done, request); });
}

TEST_CASE("stopping where the record stands changes nothing") { check_same(denoise(Model::lcm(), half_done(), until({}, 1)), half_done()); }
