#include "lib/sampling/control_networks.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <c10/core/InferenceMode.h>
#include <doctest/doctest.h>

#include "lib/base/cache_counts.h"
#include "lib/core/bundle/pack_cache.h"
#include "lib/core/bundle/part_hash.h"
#include "lib/core/nn/packed.h"
#include "tests/unit/constant_weights.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/ramp.h"
#include "tests/unit/temporary_cache.h"

using namespace lcm;

namespace {

constexpr const char* large_config = R"({"in_channels":4,"block_out_channels":[32,800],"down_block_types":["DownBlock2D","DownBlock2D"],
"layers_per_block":1,"attention_head_dim":8,"cross_attention_dim":16,"norm_num_groups":8})";

/// A ControlNet that is large enough for the cache.
std::string write_large_controlnet(const TemporaryFolder& folder) {
    write_file(folder / "config.json", large_config);
    NameRecorder recorder;
    const ControlNet network(ControlNetConfig::from_json(parse_json(large_config, "config")), recorder);
    const std::string bytes = constant_weights(recorder, 0x1c);
    CHECK(bytes.size() > least_packed_bytes);  // as in bf16
    write_file(folder / "diffusion_pytorch_model.safetensors", bytes);
    return folder.path();
}

at::Tensor middle_of(const ControlNet& network) {
    const c10::InferenceMode no_gradients;
    UNetInputs inputs;
    inputs.sample = ramp({1, 4, 8, 8});
    inputs.timestep = at::full({1}, 500, at::kLong);
    inputs.context = ramp({1, 7, network.config().unet.cross_attention_dim.front()});
    return network.forward(inputs, network.embed(ramp({1, 3, 64, 64}).add(1).div(2))).middle;
}

double distance(const at::Tensor& found, const at::Tensor& expected) {
    return (at::linalg_vector_norm(found.to(at::kFloat) - expected) / at::linalg_vector_norm(expected)).item<double>();
}

}  // namespace

TEST_CASE("a ControlNet computes in the type of the UNet that it steers") {
    const UNetConfig config = UNetConfig::from_json(read_json_file(golden_model("sd15") + "/unet/config.json"));
    SteeredUNet unet(config);
    const at::Tensor exact = middle_of(*open_controlnet(golden_model("controlnet"), unet));
    unet.type = at::kBFloat16;
    const at::Tensor rounded = middle_of(*open_controlnet(golden_model("controlnet"), unet));
    CHECK((exact.scalar_type() == at::kFloat));
    CHECK((rounded.scalar_type() == at::kBFloat16));
    CHECK(distance(rounded, exact) > 0);
    CHECK(distance(rounded, exact) < 0.03);  // bf16 has 8 binary digits, and a score of layers rounds to them
}

TEST_CASE("a large ControlNet's packed weights are kept, for each type") {
    const TemporaryCache cache;
    const TemporaryFolder folder;
    const std::string path = write_large_controlnet(folder);
    const UNetConfig config = ControlNetConfig::from_json(parse_json(large_config, "config")).unet;
    SteeredUNet unet(config);
    const at::Tensor plain = middle_of(*open_controlnet(path, unet));
    CHECK(cache.count("lcm/packed") == 0);
    unet.pack_cache = true;
    for (const std::uint64_t found : {0, 1}) {
        hash_files({path + "/diffusion_pytorch_model.safetensors"});  // from now on a hit of its own
        const std::uint64_t before = cache_counts().hits;
        CHECK(at::equal(middle_of(*open_controlnet(path, unet)), plain));
        CHECK(cache_counts().hits - before == 1 + found);
        CHECK(cache.count("lcm/packed") == 1);
    }
    unet.type = at::kBFloat16;
    middle_of(*open_controlnet(path, unet));
    CHECK(cache.count("lcm/packed") == (nn::multiplies(unet.type) ? 2 : 1));
}
