// Files that are broken or belong to another model: each is refused with a sentence that names file and tensor.

#include <doctest/doctest.h>

#include <limits>

#include "lib/core/adapter/lora_adapter.h"
#include "tests/unit/adapter/small_model.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

using Words = std::initializer_list<std::string_view>;

void open(const std::string& path) { LoraAdapter(open_adapter_file(path, small_target().names), {}, small_target()); }

/// Opens a file of these tensors, which must be refused with the file and `words` in the message.
void check_refused(Words words, const std::vector<StoredTensor>& tensors) {
    const TemporaryFolder folder;
    const std::string path = write_file(folder / "a.safetensors", safetensors_bytes(tensors));
    check_error(ExitCode::data, {path}, [&] { open(path); });
    check_error(ExitCode::data, words, [&] { open(path); });
}

std::string key(const char* ending) { return std::string(to_k) + ending; }

std::vector<StoredTensor> with(std::vector<StoredTensor> tensors, const StoredTensor& more) {
    tensors.push_back(more);
    return tensors;
}

}  // namespace

TEST_CASE("half of a pair") {
    check_refused({key(".lora_down.weight"), "lacks the \"up\""}, {ones(key(".lora_down.weight"), {2, 6})});
    check_refused({key(".lora_up.weight"), "lacks the \"down\""}, {ones(key(".lora_up.weight"), {4, 2})});
    check_refused({key(".alpha"), "lacks the \"up\""}, {ones(key(".alpha"), {})});
    check_refused({key(".hada_w1_a"), "lacks the \"w1_b\""}, {ones(key(".hada_w1_a"), {4, 2})});
    check_refused({key(".lokr_w1"), "lacks the \"w2_a\""}, {ones(key(".lokr_w1"), {2, 2})});
}

TEST_CASE("a part of more than two") {
    check_refused({key(".hada_w1_a"), "lacks the \"w2_b\""},
                  {ones(key(".hada_w1_a"), {4, 2}), ones(key(".hada_w1_b"), {2, 6}), ones(key(".hada_w2_a"), {4, 2})});
    check_refused({key(".lokr_w1"), "lacks the \"w2_b\""}, {ones(key(".lokr_w1"), {2, 2}), ones(key(".lokr_w2_a"), {2, 1})});
    check_refused({key(".lokr_w1_b"), "lacks the \"w1_a\""}, {ones(key(".lokr_w1_b"), {1, 2}), ones(key(".lokr_w2"), {2, 3})});
}

TEST_CASE("factors that do not fit each other") {
    check_refused({key(".lora_up.weight"), "[4,3]", "[2,6]", "ranks 3 and 2"},
                  {ones(key(".lora_down.weight"), {2, 6}), ones(key(".lora_up.weight"), {4, 3})});
    check_refused({key(".hada_w2_a"), "[4,3]", "[2,6]"}, {ones(key(".hada_w1_a"), {4, 2}), ones(key(".hada_w1_b"), {2, 6}),
                                                          ones(key(".hada_w2_a"), {4, 3}), ones(key(".hada_w2_b"), {2, 6})});
    check_refused({key(".hada_w2_a"), "[4,5]", "[4,6]"}, {ones(key(".hada_w1_a"), {4, 2}), ones(key(".hada_w1_b"), {2, 6}),
                                                          ones(key(".hada_w2_a"), {4, 2}), ones(key(".hada_w2_b"), {2, 5})});
    check_refused({key(".lokr_w1_a"), "[2,3]", "[1,3]"},
                  {ones(key(".lokr_w1_a"), {2, 3}), ones(key(".lokr_w1_b"), {1, 3}), ones(key(".lokr_w2"), {2, 2})});
    const std::string conv = conv_in;
    check_refused({conv + ".lora_mid.weight", "[2,3,3,3]", "[2,2,k,k]"},
                  {ones(conv + ".lora_down.weight", {2, 2, 1, 1}), ones(conv + ".lora_mid.weight", {2, 3, 3, 3}),
                   ones(conv + ".lora_up.weight", {4, 2, 1, 1})});
}

TEST_CASE("shapes that no factor has") {
    check_refused({key(".lora_down.weight"), "[12]", "expected [rows,columns]"},
                  {ones(key(".lora_down.weight"), {12}), ones(key(".lora_up.weight"), {4, 2})});
    check_refused({key(".lora_up.weight"), "kernel of 1x1"},
                  {ones(key(".lora_down.weight"), {2, 6}), ones(key(".lora_up.weight"), {4, 2, 3, 3})});
    check_refused({key(".lora_up.weight"), "[0,2]"}, {ones(key(".lora_down.weight"), {2, 6}), ones(key(".lora_up.weight"), {0, 2})});
    check_refused({key(".lokr_w2"), "[2,3,3,1]"}, {ones(key(".lokr_w1"), {2, 2}), ones(key(".lokr_w2"), {2, 3, 3, 1})});
}

TEST_CASE("alpha that is no number") {
    check_refused({key(".alpha"), "2 numbers"}, with(plain_lora(), ones(key(".alpha"), {2})));
    check_refused({key(".alpha"), "inf"}, with(plain_lora(), ones(key(".alpha"), {}, std::numeric_limits<float>::infinity())));
    check_refused({key(".alpha"), "I64"}, with(plain_lora(), {key(".alpha"), "I64", {}, zeros(8)}));
}

TEST_CASE("number types that are not read") {
    check_refused({key(".lora_up.weight"), "F8_E4M3", "F16"},
                  {ones(key(".lora_down.weight"), {2, 6}), {key(".lora_up.weight"), "F8_E4M3", {4, 2}, zeros(8)}});
}

TEST_CASE("number types of whole changes and of magnitudes") {
    check_refused({key(".diff"), "I32"}, {{key(".diff"), "I32", {4, 6}, zeros(96)}});
    check_refused({key(".lora_down.weight"), "F64"},
                  {{key(".lora_down.weight"), "F64", {2, 6}, zeros(96)}, ones(key(".lora_up.weight"), {4, 2})});
    check_refused({key(".alpha"), "nan"}, with(plain_lora(), ones(key(".alpha"), {}, std::numeric_limits<float>::quiet_NaN())));
    check_refused({key(".diff"), "[4,5]", "[4,6]"}, {ones(key(".diff"), {4, 5})});
}

TEST_CASE("a module of two formats") {
    check_refused({key(".diff"), "mixes formats"}, with(plain_lora(), ones(key(".diff"), {4, 6})));
    check_refused({key(".hada_w1_a"), "mixes formats"}, with(plain_lora(), ones(key(".hada_w1_a"), {4, 2})));
    check_refused({key(".lokr_w1_a"), "beside the whole"},
                  {ones(key(".lokr_w1"), {2, 2}), ones(key(".lokr_w1_a"), {2, 1}), ones(key(".lokr_w2"), {2, 3})});
}

TEST_CASE("one change under two names") {
    const std::string dotted = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_up.weight";
    check_refused({dotted, key(".lora_up.weight"), "too"}, with(plain_lora(), ones(dotted, {4, 2})));
}

TEST_CASE("magnitudes of a DoRA that fit nothing") {
    check_refused({key(".dora_scale"), "[3,1]", "[4,6]"}, with(plain_lora(), ones(key(".dora_scale"), {3, 1})));
    check_refused({key(".dora_scale"), "[1,5]"}, with(plain_lora(), ones(key(".dora_scale"), {1, 5})));
}

TEST_CASE("an adapter of another model") {
    const std::string text = "lora_te_text_model_encoder_layers_0_self_attn_q_proj";
    check_refused({key(".lora_down.weight"), "[4,768]", "[4,6]", to_k_parameter, "family sd15"},
                  {ones(key(".lora_down.weight"), {2, 768}), ones(key(".lora_up.weight"), {4, 2})});
    check_refused({key(".lora_down.weight"), "[4,2048]", "family sdxl"},
                  {ones(key(".lora_down.weight"), {1, 2048}), ones(key(".lora_up.weight"), {4, 1})});
    check_refused({"conv_in", "[4,2,1,1]", "[4,2,3,3]", "model family"},
                  {ones("lora_unet_conv_in.lora_down.weight", {1, 2, 1, 1}), ones("lora_unet_conv_in.lora_up.weight", {4, 1, 1, 1})});
    check_refused({text, "[5,5]", "[3,3]", "text_encoder"}, {ones(text + ".diff", {5, 5})});
    check_refused({"q_proj.diff_b", "does not have"}, {ones(text + ".diff_b", {3})});
    check_refused({"conv_in.b_norm", "[3]", "[4]"}, {ones("lora_unet_conv_in.b_norm", {3})});
}

TEST_CASE("tensors that nothing uses are listed, the first of them by name") {
    auto tensors = plain_lora();
    for (const char* name : {"lora_unet_a.alpha", "lora_unet_b.alpha", "optimizer.step", "z.lora_up.weight"})
        tensors.push_back(ones(name, {1}));
    check_refused({"4 of its tensors are not used", "lora_unet_a.alpha, lora_unet_b.alpha, optimizer.step and 1 more", "--allow-unused"},
                  tensors);
    check_refused({"no adapter for this model", "lora_te2_x.alpha"}, {ones("lora_te2_x.alpha", {})});
    check_refused({"holds no tensors"}, {});
}

TEST_CASE("files that are no safetensors") {
    const TemporaryFolder folder;
    const std::string pickle = write_file(folder / "a.pt", "\x80\x02}q\x01(X\x05");
    check_error(ExitCode::refused, {pickle, "pickle"}, [&] { open(pickle); });
    const std::string peft = write_file(folder / "peft/adapter_model.bin", "PK");
    check_error(ExitCode::refused, {peft, "safe_serialization"}, [&] { open(folder / "peft"); });
    check_error(ExitCode::no_input, {"missing"}, [&] { open(folder / "missing"); });
    check_error(ExitCode::no_input, {folder.path(), "adapter_model.safetensors"}, [&] { open(folder.path()); });
}

TEST_CASE("settings of PEFT that are not applied") {
    const auto check_config = [](const std::string& config, Words words) {
        const TemporaryFolder folder;
        const std::string module = "base_model.model.conv_in";
        write_file(folder / "adapter_model.safetensors",
                   safetensors_bytes({ones(module + ".lora_A.weight", {1, 2, 3, 3}), ones(module + ".lora_B.weight", {4, 1, 1, 1})}));
        write_file(folder / "adapter_config.json", config);
        check_error(ExitCode::data, {folder / "adapter_config.json"}, [&] { open(folder.path()); });
        check_error(ExitCode::data, words, [&] { open(folder.path()); });
    };
    check_config(R"({"peft_type":"IA3"})", {"IA3"});
    check_config(R"({"fan_in_fan_out":true})", {"fan_in_fan_out"});
    check_config(R"({"lora_alpha":1,"alpha_pattern":{"conv_.*":2}})", {"conv_.*", "patterns"});
    check_config(R"({"lora_alpha":"one"})", {"lora_alpha"});
    check_config("{", {"adapter_config.json"});
}
