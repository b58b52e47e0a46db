#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>
#include <doctest/doctest.h>

#include "lib/core/adapter/adapted_weights.h"
#include "lib/core/bundle/bundle.h"
#include "lib/core/bundle/pack_cache.h"
#include "tests/unit/constant_weights.h"
#include "tests/unit/temporary_cache.h"

using namespace lcm;

namespace {

constexpr const char* large_config = R"({"in_channels":4,"out_channels":4,"sample_size":4,"block_out_channels":[32,512],
"down_block_types":["DownBlock2D","DownBlock2D"],"up_block_types":["UpBlock2D","UpBlock2D"],"layers_per_block":1,
"attention_head_dim":8,"cross_attention_dim":16,"norm_num_groups":8})";

/// A UNet of zeros that is large enough for the cache.
std::string write_large_model(const TemporaryFolder& folder) {
    write_file(folder / "unet/config.json", large_config);
    NameRecorder recorder;
    const UNet network(UNetConfig::from_json(parse_json(large_config, "config")), recorder);
    const std::string bytes = constant_weights(recorder, 0);
    CHECK(2 * bytes.size() > least_packed_bytes);  // in f32
    write_file(folder / "unet/diffusion_pytorch_model.safetensors", bytes);
    return folder.path();
}

/// Adds the same to every parameter, and counts for how many products it was asked.
class Shift : public BaseAdapter {
public:
    bool changes(Network) const override { return true; }
    at::Tensor weight_delta(Network, const std::string& /*parameter*/, const at::Tensor& weight) const override {
        if (weight.dim() > 1) ++products;
        return at::full(weight.sizes(), 0.01, at::kDouble);
    }
    mutable int products = 0;
};

Bundle open_kept(const std::string& model) {
    ModelFiles files;
    files.path = model;
    files.pack_cache = true;
    return Bundle::open(files);
}

struct Built {
    at::Tensor output;
    int products;  ///< that were packed
};

Built build(const std::string& model, const std::string& identity, AdapterMode mode = AdapterMode::merge) {
    const c10::InferenceMode no_gradients;
    const auto adapter = std::make_shared<Shift>();
    const UNet unet = open_kept(model).unet(weight_layer({{adapter}, mode, identity}, Network::unet));
    UNetInputs inputs;
    inputs.sample = at::ones({1, 4, 4, 4});
    inputs.timestep = at::full({1}, 9, at::kLong);
    inputs.context = at::ones({1, 3, 16});
    return {unet.forward(inputs), adapter->products};
}

}  // namespace

TEST_CASE("packed weights with adapters are kept for the same adapters, and for no others") {
    const TemporaryCache cache;
    const TemporaryFolder folder;
    const std::string model = write_large_model(folder);
    const Built first = build(model, "one");
    CHECK(first.products > 0);
    CHECK(first.output.abs().max().item<float>() > 0);
    CHECK(cache.count("lcm/packed") == 1);
    const Built again = build(model, "one");
    CHECK(again.products == 0);
    CHECK(at::equal(again.output, first.output));
    CHECK(cache.count("lcm/packed") == 1);
    CHECK(build(model, "other").products == first.products);
    CHECK(cache.count("lcm/packed") == 2);
    CHECK(open_kept(model).unet().config().sample_size == 4);
    CHECK(cache.count("lcm/packed") == 3);
}

TEST_CASE("packed weights with adapters that nobody can tell apart, or that come and go with records, are not kept") {
    const TemporaryCache cache;
    const TemporaryFolder folder;
    const std::string model = write_large_model(folder);
    for (const auto& [identity, mode] : {std::pair("", AdapterMode::merge), {"one", AdapterMode::runtime}}) {
        const int products = build(model, identity, mode).products;
        CHECK(products > 0);
        CHECK(build(model, identity, mode).products == products);
    }
    CHECK(cache.count("lcm/packed") == 0);
}
