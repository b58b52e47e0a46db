#include "lib/core/weights/weight_set.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <cstdlib>

#include "lib/core/weights/key_map.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

/// A set over one file of these tensors.
struct Fixture {
    TemporaryFolder folder;
    std::string path;

    explicit Fixture(const std::vector<StoredTensor>& tensors)
        : path(write_file(folder / "model.safetensors", safetensors_bytes(tensors))) {}

    WeightSet set(at::ScalarType type = at::kFloat, const WeightSet::KeyMap& map = {}) const {
        return WeightSet({WeightFile(path)}, type, map);
    }
};

at::Tensor row(const std::vector<float>& numbers) { return at::tensor(at::ArrayRef<float>(numbers)); }

}  // namespace

TEST_CASE("files of mixed precision come out in the working type") {
    const std::vector<float> numbers{1, -0.5f, 0, 2};
    // 1, -0.5, 0 and 2 in both 16-bit types, exactly.
    const Fixture fixture({{"single", "F32", {4}, bytes_of(numbers)},
                           {"half", "F16", {4}, bytes_of<std::uint16_t>({0x3C00, 0xB800, 0, 0x4000})},
                           {"brain", "BF16", {4}, bytes_of<std::uint16_t>({0x3F80, 0xBF00, 0, 0x4000})}});
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
        WeightSet set = fixture.set(type);
        for (const char* name : {"single", "half", "brain"}) {
            const at::Tensor tensor = set.take(name, {4});
            CHECK((tensor.scalar_type() == type));
            CHECK(at::equal(tensor.to(at::kFloat), row(numbers)));
        }
        set.expect_all_used();
    }
}

TEST_CASE("a weight can be had as it is stored, and counts as used") {
    const Fixture fixture({{"half", "F16", {2, 2}, bytes_of<std::uint16_t>({0x3C00, 0xB800, 0, 0x4000})}});
    WeightSet set = fixture.set();
    const at::Tensor table = set.take_stored("half", {2, 2});
    CHECK((table.scalar_type() == at::kHalf));
    CHECK(at::equal(table.to(at::kFloat).view({4}), row({1, -0.5f, 0, 2})));
    set.expect_all_used();
    check_error(ExitCode::data, {fixture.path, "tensor \"half\"", "[2,2]", "[4,2]"}, [&] { set.take_stored("half", {4, 2}); });
}

TEST_CASE("weights live on when the set is dropped") {
    const Fixture fixture({{"w", "F32", {2}, bytes_of<float>({3, 4})}});
    const at::Tensor tensor = fixture.set().take("w", {2});
    CHECK(at::equal(tensor, row({3, 4})));
}

TEST_CASE("a wrong shape names file, tensor and both shapes") {
    const Fixture fixture({{"conv_in.weight", "F32", {2, 3}, zeros(24)}});
    WeightSet set = fixture.set();
    check_error(ExitCode::data, {fixture.path, "tensor \"conv_in.weight\"", "[2,3]", "[2,4]"}, [&] { set.take("conv_in.weight", {2, 4}); });
    check_error(ExitCode::data, {"[2,3]", "[3,2]"}, [&] { set.take("conv_in.weight", {3, 2}); });
    check_error(ExitCode::data, {"[2,3]", "[6]"}, [&] { set.take("conv_in.weight", {6}); });
    check_error(ExitCode::data, {"[2,3]", "[2,3,1]"}, [&] { set.take("conv_in.weight", {2, 3, 1}); });
}

TEST_CASE("a matrix may be stored as a 1x1 convolution and the reverse") {
    const std::string data = bytes_of<float>({1, 2, 3, 4, 5, 6});
    const Fixture fixture({{"linear", "F32", {2, 3}, data}, {"conv", "F32", {2, 3, 1, 1}, data}, {"wide", "F32", {2, 1, 3, 1}, data}});
    WeightSet set = fixture.set();
    CHECK(at::equal(set.take("linear", {2, 3, 1, 1}).reshape({6}), row({1, 2, 3, 4, 5, 6})));
    CHECK(at::equal(set.take("conv", {2, 3}), row({1, 2, 3, 4, 5, 6}).reshape({2, 3})));
    check_error(ExitCode::data, {"\"wide\""}, [&] { set.take("wide", {2, 3}); });
}

TEST_CASE("a missing tensor names file and tensor") {
    const Fixture fixture({{"w", "F32", {1}, zeros(4)}});
    WeightSet set = fixture.set();
    CHECK(set.has("w"));
    CHECK_FALSE(set.has("conv_out.bias"));
    check_error(ExitCode::data, {fixture.path, "tensor \"conv_out.bias\"", "missing"}, [&] { set.take("conv_out.bias", {1}); });
}

TEST_CASE("weights of another type are refused by name") {
    const Fixture fixture({{"wide", "F64", {1}, zeros(8)}, {"ids", "I64", {1}, zeros(8)}, {"small", "F8_E4M3", {1}, zeros(1)}});
    WeightSet set = fixture.set();
    check_error(ExitCode::data, {fixture.path, "tensor \"wide\"", "F64"}, [&] { set.take("wide", {1}); });
    check_error(ExitCode::data, {fixture.path, "tensor \"ids\"", "I64"}, [&] { set.take("ids", {1}); });
    check_error(ExitCode::data, {fixture.path, "tensor \"small\"", "F8_E4M3"}, [&] { set.take("small", {1}); });
}

TEST_CASE("unused tensors are named, by their names in the file") {
    std::vector<StoredTensor> tensors;
    for (const char* name : {"a", "b", "c", "d", "e"}) tensors.push_back({name, "F32", {1}, zeros(4)});
    const Fixture fixture(tensors);
    WeightSet set = fixture.set();
    set.take("b", {1});
    check_error(ExitCode::data, {fixture.path, "4 tensors are not used", "a, c, d and 1 more"}, [&] { set.expect_all_used(); });
    for (const char* name : {"a", "c", "d"}) set.take(name, {1});
    check_error(ExitCode::data, {fixture.path, "1 tensor is not used by the network: e"}, [&] { set.expect_all_used(); });
    set.take("e", {1});
    set.expect_all_used();
}

TEST_CASE("names are mapped, dropped tensors are not missed, messages keep the file's names") {
    const Fixture fixture(
        {{"text_model.embeddings.position_ids", "I64", {1, 2}, zeros(16)}, {"text_model.final_layer_norm.weight", "F32", {2}, zeros(8)}});
    WeightSet set = fixture.set(at::kFloat, text_encoder_key);
    CHECK(set.has("final_layer_norm.weight"));
    check_error(ExitCode::data, {"text_model.final_layer_norm.weight"}, [&] { set.take("final_layer_norm.weight", {3}); });
    check_error(ExitCode::data, {"text_model.final_layer_norm.weight"}, [&] { set.expect_all_used(); });
    set.take("final_layer_norm.weight", {2});
    set.expect_all_used();
}

TEST_CASE("one name from two places is refused, in one file and across shards") {
    const Fixture both({{"final_layer_norm.weight", "F32", {1}, zeros(4)}, {"text_model.final_layer_norm.weight", "F32", {1}, zeros(4)}});
    check_error(ExitCode::data, {"\"final_layer_norm.weight\"", "\"text_model.final_layer_norm.weight\""},
                [&] { both.set(at::kFloat, text_encoder_key); });
    const Fixture first({{"w", "F32", {1}, zeros(4)}}), second({{"w", "F32", {1}, zeros(4)}});
    check_error(ExitCode::data, {first.path, second.path},
                [&] { WeightSet({WeightFile(first.path), WeightFile(second.path)}, at::kFloat); });
}

TEST_CASE("shards are one set") {
    const Fixture first({{"a", "F32", {1}, bytes_of<float>({1})}}), second({{"b", "F32", {1}, bytes_of<float>({2})}});
    WeightSet set({WeightFile(first.path), WeightFile(second.path)}, at::kFloat);
    CHECK(set.take("a", {1}).item<float>() == 1);
    check_error(ExitCode::data, {second.path, "b"}, [&] { set.expect_all_used(); });
    CHECK(set.take("b", {1}).item<float>() == 2);
    set.expect_all_used();
}

TEST_CASE("the golden VAE with old names gives today's, linear or convolution") {
    const std::string path = std::string(std::getenv("LCM_TESTDATA")) + "/golden/models/sd15/vae/diffusion_pytorch_model.safetensors";
    WeightSet set({WeightFile(path)}, at::kFloat, vae_key);
    const WeightFile file(path);
    const std::string block = "decoder.mid_block.attentions.0.";
    CHECK(at::equal(set.take(block + "to_q.weight", {16, 16}), file.view(block + "query.weight")));
    CHECK(at::equal(set.take(block + "to_out.0.bias", {16}), file.view(block + "proj_attn.bias")));
}
