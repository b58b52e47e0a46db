#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/core/tensor/convert.h"
#include "lib/core/tensor/noise.h"
#include "lib/sampling/denoiser.h"
#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"

namespace lcm::test {

/// A tiny model of testdata/golden, opened once: "lcm" has a guidance embedding, "sd15" takes classifier-free guidance.
struct Model {
    explicit Model(const std::string& name)
        : bundle(Bundle::open(std::string(std::getenv("LCM_TESTDATA")) + "/golden/models/" + name, name)), denoiser(bundle) {}

    static const Model& lcm() {
        static const Model model("lcm");
        return model;
    }
    static const Model& sd15() {
        static const Model model("sd15");
        return model;
    }

    Bundle bundle;
    Denoiser denoiser;
};

/// Remembers the steps it was told of.
struct StepList : Observer {
    void on_step(int record, int step, int steps) override { seen.push_back({record, step, steps}); }
    std::vector<std::vector<int>> seen;
};

/// Conditioning of no particular text: `text.embeds` and `text.negative.embeds` [7,D] for `model`.
inline Record conditioning(const Model& model) {
    const std::int64_t width = model.bundle.config(Part::unet).at("cross_attention_dim").as_integer();
    NoiseGenerator noise(1234);
    Record record;
    record.place = "record 0";
    record.set(key::kind, std::string(kind::cond));
    record.set(key::arch, model.bundle.arch());
    record.set(key::prompt, "none");
    record.tensors.emplace(tensor::text_embeds, from_torch(noise.normal({7, width})));
    record.tensors.emplace(tensor::text_negative_embeds, from_torch(noise.normal({7, width})));
    return record;
}

/// A small picture in `steps` steps; classifier-free guidance where the model takes it.
inline DenoiseRequest small(int steps) {
    DenoiseRequest request;
    request.width = 72;  // a latent of 4 x 5 x 9 numbers: no multiple of 16, so the generator's tail takes part
    request.height = 40;
    request.steps = steps;
    request.guidance = 2.5;
    request.seed = 77;
    return request;
}

inline DenoiseRequest until(DenoiseRequest request, int step) {
    request.to = step;
    return request;
}

inline Record denoise(const Model& model, const Record& record, const DenoiseRequest& request) {
    StepList ignored;
    return model.denoiser.denoise(record, request, 0, ignored);
}

/// A start latent for `small`, and a mask whose right half is drawn anew.
inline void add_start_image(Record& record, bool masked) {
    record.tensors.insert_or_assign(std::string(tensor::latent_init), from_torch(NoiseGenerator(9).normal({4, 5, 9}) * 0.5));
    at::Tensor mask = at::zeros({1, 5, 9});
    mask.narrow(2, 4, 5).fill_(1);
    if (masked) record.tensors.insert_or_assign(std::string(tensor::latent_mask), from_torch(mask));
}

inline bool same_tensor(const TensorBytes& a, const TensorBytes& b) {
    return a.dtype == b.dtype && a.shape == b.shape && std::equal(a.data.begin(), a.data.end(), b.data.begin(), b.data.end());
}

/// What is wrong with going on with `begun` when the request is what `change` makes of an empty one.
inline void check_contradiction(const Model& model, const Record& begun, std::initializer_list<std::string_view> words,
                                const std::function<void(DenoiseRequest&)>& change) {
    DenoiseRequest request;
    change(request);
    check_error(ExitCode::usage, words, [&] { denoise(model, begun, request); });
}

/// The same when `change` tampers with the record.
inline void check_tampered(const Model& model, Record begun, std::initializer_list<std::string_view> words,
                           const std::function<void(Record&)>& change) {
    change(begun);
    check_error(ExitCode::data, words, [&] { denoise(model, begun, {}); });
}

inline void check_same(const Record& got, const Record& want) {
    CHECK(got.metadata == want.metadata);
    CHECK(got.tensors.size() == want.tensors.size());
    for (const auto& [name, bytes] : want.tensors) {
        CAPTURE(name);
        REQUIRE(got.tensors.contains(name));
        CHECK(same_tensor(got.tensors.at(name), bytes));
    }
}

/// Compares a run, stopped and resumed at each of its steps, with the same run in one piece, which is returned. Resuming needs no flag.
inline Record check_splits(const Model& model, const Record& start, const DenoiseRequest& request) {
    Record whole = denoise(model, start, request);
    for (int split = 0; split < std::stoi(whole.at(key::steps)); ++split) {
        CAPTURE(split);
        check_same(denoise(model, denoise(model, start, until(request, split)), {}), whole);
    }
    return whole;
}

}  // namespace lcm::test
