#include "lib/core/adapter/adapter_file.h"

#include <ATen/TensorOperators.h>
#include <doctest/doctest.h>

#include "tests/unit/adapter/small_model.h"

using namespace lcm;

namespace {

/// The one change of a file of these tensors.
AdapterChange only_change(const std::vector<StoredTensor>& tensors) {
    const TemporaryFolder folder;
    AdapterFile file = open_adapter_file(write_file(folder / "a.safetensors", safetensors_bytes(tensors)), small_target().names);
    CHECK(file.unused.empty());
    REQUIRE(file.changes.size() == 1);
    return std::move(file.changes.front());
}

/// The one value of a change of ones.
double value_of(const AdapterChange& change) {
    const at::Tensor delta = change.delta->compute(1);
    CHECK((delta.scalar_type() == at::kDouble));
    CHECK(delta.sizes() == at::IntArrayRef(change.delta->shape()));
    CHECK((delta - delta.flatten()[0]).abs().max().item<double>() < 1e-12);
    return delta.flatten()[0].item<double>();
}

std::string key(const char* ending) { return std::string(to_k) + ending; }

}  // namespace

TEST_CASE("the factor is alpha over rank, and 1 without an alpha") {
    CHECK(value_of(only_change(plain_lora(2))) == 2);
    auto tensors = plain_lora(2);
    tensors.push_back(ones(key(".alpha"), {}, 3));
    const AdapterChange change = only_change(tensors);
    CHECK(value_of(change) == 3);
    CHECK(change.alpha == 3);
    CHECK(change.delta->rank() == 2);
    CHECK(change.parameter == to_k_parameter);
}

TEST_CASE("LoKr counts alpha once, by the rank of its first factored side, and not where both sides are whole") {
    const auto alpha = ones(key(".alpha"), {}, 6);
    CHECK(value_of(only_change({ones(key(".lokr_w1"), {2, 2}), ones(key(".lokr_w2"), {2, 3}), alpha})) == 1);
    CHECK(value_of(only_change({ones(key(".lokr_w1"), {2, 2}), ones(key(".lokr_w2_a"), {2, 2}), ones(key(".lokr_w2_b"), {2, 3}), alpha})) ==
          6);
    CHECK(value_of(only_change({ones(key(".lokr_w1_a"), {2, 3}), ones(key(".lokr_w1_b"), {3, 2}), ones(key(".lokr_w2_a"), {2, 2}),
                                ones(key(".lokr_w2_b"), {2, 3}), alpha})) == 12);
}

TEST_CASE("LoHa is the product of its halves, element by element") {
    CHECK(value_of(only_change({ones(key(".hada_w1_a"), {4, 2}), ones(key(".hada_w1_b"), {2, 6}), ones(key(".hada_w2_a"), {4, 2}, 3),
                                ones(key(".hada_w2_b"), {2, 6}), ones(key(".alpha"), {}, 1)})) == 6);
}

TEST_CASE("PEFT's settings come from the header or from the file beside it") {
    const std::string module = "base_model.model." + module_of(to_k_parameter);
    const std::string bytes = safetensors_bytes({ones(module + ".lora_A.weight", {4, 6}), ones(module + ".lora_B.weight", {4, 4})});
    const auto value = [&](const std::string& config, const char* name) {
        const TemporaryFolder folder;
        write_file(folder / name, bytes);
        write_file(folder / "adapter_config.json", config);
        const AdapterFile file = open_adapter_file(folder / name, small_target().names);
        REQUIRE(file.changes.size() == 1);
        return value_of(file.changes.front());
    };
    constexpr const char* usual = "adapter_model.safetensors";
    CHECK(value(R"({"lora_alpha":2,"peft_type":"LORA"})", usual) == 2);
    CHECK(value(R"({"lora_alpha":2,"use_rslora":true})", usual) == 4);
    CHECK(value(R"({"lora_alpha":2,"alpha_pattern":{"attn2.to_k":8}})", usual) == 8);
    CHECK(value(R"({"lora_alpha":2})", "other.safetensors") == 4);
}

TEST_CASE("a file may be given for its folder, and the settings beside it belong to it") {
    const TemporaryFolder folder;
    write_file(folder / "adapter_model.safetensors", "");
    write_file(folder / "adapter_config.json", "{}");
    CHECK(adapter_weights(folder.path()) == folder / "adapter_model.safetensors");
    CHECK(adapter_files(folder.path()).size() == 2);
    CHECK(adapter_files(folder / "other.safetensors").size() == 1);
}

TEST_CASE("convolutions may be stored flat, and 1x1 ones as matrices") {
    CHECK(fits({4, 18}, {4, 2, 3, 3}));
    CHECK(fits({4, 6}, {4, 6, 1, 1}));
    CHECK(fits({4, 6, 1, 1}, {4, 6}));
    CHECK(fits({4}, {4}));
    CHECK_FALSE(fits({4, 2, 1, 1}, {4, 2, 3, 3}));
    CHECK_FALSE(fits({18, 4}, {4, 2, 3, 3}));
    CHECK_FALSE(fits({24}, {4, 6}));
}
