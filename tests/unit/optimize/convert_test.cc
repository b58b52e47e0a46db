#include "lib/optimize/convert.h"

#include <ATen/ops/equal.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <csignal>
#include <limits>

#include "lib/base/descriptor.h"
#include "lib/base/log.h"
#include "lib/base/stop.h"
#include "lib/core/bundle/bundle.h"
#include "lib/core/tensor/convert.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;
namespace fs = std::filesystem;

namespace {

constexpr const char* weights_name = "diffusion_pytorch_model.safetensors";

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}

/// A model folder with a UNet of these tensors.
std::string unet_model(const TemporaryFolder& folder, const std::vector<StoredTensor>& tensors) {
    write_file(folder / "in/unet/config.json", "{}");
    write_file(folder / "in/unet/" + weights_name, safetensors_bytes(tensors));
    return folder / "in";
}

WeightFile unet_weights(const std::string& model) { return WeightFile(model + "/unet/" + weights_name); }

}  // namespace

TEST_CASE("a converted model holds the same numbers, rounded, and opens") {
    const TemporaryFolder folder;
    for (const Dtype target : {Dtype::F32, Dtype::BF16, Dtype::F16}) {
        const std::string out = folder / std::string(name(target));
        convert(golden_model("lcm"), out, target);
        const Bundle before = Bundle::open(golden_model("lcm")), after = Bundle::open(out);
        for (const Part part : {Part::text_encoder, Part::unet, Part::vae}) {
            const WeightFile old_file = before.weights(part).at(0), new_file = after.weights(part).at(0);
            CHECK(new_file.metadata() == old_file.metadata());
            REQUIRE(new_file.tensors().size() == old_file.tensors().size());
            for (const auto& [name, entry] : old_file.tensors()) {
                CAPTURE(name);
                CHECK((new_file.tensors().at(name).dtype == target));
                CHECK(at::equal(new_file.view(name), old_file.view(name).to(scalar_type(target))));
            }
        }
        after.unet();
        after.vae();
        after.text_encoder();
    }
}

TEST_CASE("widening and narrowing again gives the first file back, and equal input gives equal bytes") {
    const TemporaryFolder folder;
    convert(shipped_model(), folder / "wide", Dtype::F32);
    convert(folder / "wide", folder / "back", Dtype::F16);
    convert(shipped_model(), folder / "again", Dtype::F16);
    for (const char* file :
         {"unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"}) {
        CAPTURE(file);
        CHECK((read_file(folder / "back/" + file) == read_file(folder / "again/" + file)));
    }
    const WeightFile old_file = WeightFile(shipped_model() + "/unet/" + weights_name), new_file = unet_weights(folder / "back");
    for (const auto& [name, entry] : old_file.tensors()) CHECK(at::equal(new_file.view(name), old_file.view(name)));
}

TEST_CASE("the files beside the weights come along, and dtype stays truthful") {
    const TemporaryFolder folder;
    convert(shipped_model(), folder / "out", Dtype::BF16);
    CHECK(names_in(folder / "out") ==
          std::vector<std::string>{"README.md", "lcm.json", "model_index.json", "scheduler", "text_encoder", "tokenizer", "unet", "vae"});
    for (const char* same : {"README.md", "lcm.json", "model_index.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json",
                             "tokenizer/merges.txt", "unet/config.json"}) {
        CAPTURE(same);
        CHECK(read_file(folder / "out/" + same) == read_file(shipped_model() + "/" + same));
    }
    std::string expected = read_file(shipped_model() + "/text_encoder/config.json");
    expected.replace(expected.find("float16"), 7, "bfloat16");
    CHECK(read_file(folder / "out/text_encoder/config.json") == expected);
}

TEST_CASE("the written file is canonical: large elements first, then names, data at a multiple of 64") {
    const TemporaryFolder folder;
    const std::string model = unet_model(folder, {{"z", "F32", {1}, bytes_of<float>({1})},
                                                  {"a", "F32", {1}, bytes_of<float>({2})},
                                                  {"ids", "I64", {1}, bytes_of<std::int64_t>({5})},
                                                  {"flag", "BOOL", {1}, std::string("\1")}});
    convert(model, folder / "out", Dtype::F16);
    const std::string bytes = read_file(folder / "out/unet/" + weights_name);
    const std::string header =
        R"({"__metadata__":{"format":"pt"},"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
        R"("a":{"dtype":"F16","shape":[1],"data_offsets":[8,10]},"z":{"dtype":"F16","shape":[1],"data_offsets":[10,12]},)"
        R"("flag":{"dtype":"BOOL","shape":[1],"data_offsets":[12,13]}})";
    const std::string data = bytes_of<std::int64_t>({5}) + bytes_of<std::uint16_t>({0x4000, 0x3C00}) + "\1";
    CHECK(bytes.size() % 64 == data.size());
    CHECK(bytes.substr(8, header.size()) == header);
    CHECK(bytes.substr(bytes.size() - data.size()) == data);
}

TEST_CASE("a value that F16 cannot hold is named by file, tensor and index, and nothing is left") {
    const TemporaryFolder folder;
    const std::string model = unet_model(folder, {{"conv.weight", "F32", {2, 2}, bytes_of<float>({1, 65504, -70000, 2})}});
    const auto run = [&](Dtype target) { convert(model, folder / "out", target); };
    check_error(ExitCode::data, {model + "/unet/" + weights_name, "tensor \"conv.weight\"", "-70000 at [1,0]", "65504"},
                [&] { run(Dtype::F16); });
    CHECK(names_in(folder.path()) == std::vector<std::string>{"in"});
    run(Dtype::BF16);
    CHECK(fs::exists(folder / "out"));
}

TEST_CASE("weights that are not finite are refused for every target") {
    const TemporaryFolder folder;
    const std::string model = unet_model(folder, {{"w", "F32", {2}, bytes_of<float>({1, std::numeric_limits<float>::quiet_NaN()})}});
    for (const Dtype target : {Dtype::F32, Dtype::F16, Dtype::BF16})
        check_error(ExitCode::data, {"tensor \"w\"", "nan at [1]"}, [&] { convert(model, folder / "out", target); });
    CHECK(names_in(folder.path()) == std::vector<std::string>{"in"});
}

TEST_CASE("an existing output is refused, or replaced when it is a model") {
    const TemporaryFolder folder;
    const std::string model = unet_model(folder, {{"w", "F32", {1}, bytes_of<float>({1})}});
    const std::string out = folder / "out";
    convert(model, out + "/", Dtype::F16);
    write_file(out + "/old.txt", "");
    check_error(ExitCode::cannot_create, {out, "already there"}, [&] { convert(model, out, Dtype::F32); });
    CHECK((unet_weights(out).tensors().at("w").dtype == Dtype::F16));
    convert(model, out, Dtype::F32, Existing::replace);
    CHECK((unet_weights(out).tensors().at("w").dtype == Dtype::F32));
    CHECK_FALSE(fs::exists(out + "/old.txt"));
    CHECK(names_in(folder.path()) == std::vector<std::string>{"in", "out"});

    write_file(folder / "precious/diary.txt", "x");
    const auto replace = [&](const std::string& path) { convert(model, path, Dtype::F32, Existing::replace); };
    check_error(ExitCode::cannot_create, {"precious", "no model folder"}, [&] { replace(folder / "precious"); });
    check_error(ExitCode::cannot_create, {"diary.txt"}, [&] { replace(folder / "precious/diary.txt"); });
    CHECK(read_file(folder / "precious/diary.txt") == "x");
    check_error(ExitCode::cannot_create, {"absent/out"}, [&] { convert(model, folder / "absent/out", Dtype::F32); });
}

TEST_CASE("output and model must lie apart, and the target must be a weight type") {
    const TemporaryFolder folder;
    const std::string model = unet_model(folder, {{"w", "F32", {1}, bytes_of<float>({1})}});
    check_error(ExitCode::usage, {"in each other"}, [&] { convert(model, model, Dtype::F16, Existing::replace); });
    check_error(ExitCode::usage, {"in each other"}, [&] { convert(model, model + "/unet/half", Dtype::F16); });
    check_error(ExitCode::usage, {"in each other"}, [&] { convert(model, folder.path(), Dtype::F16, Existing::replace); });
    check_error(ExitCode::usage, {"I64"}, [&] { convert(model, folder / "out", Dtype::I64); });
    check_error(ExitCode::no_input, {"absent"}, [&] { convert(folder / "absent", folder / "out", Dtype::F16); });
}

TEST_CASE("a stop leaves nothing behind") {
    const TemporaryFolder folder;
    const std::string model = unet_model(folder, {{"w", "F32", {1}, bytes_of<float>({1})}});
    request_stop(SIGTERM);
    CHECK_THROWS_AS(convert(model, folder / "out", Dtype::F16), Stopped);
    request_stop(0);
    CHECK(names_in(folder.path()) == std::vector<std::string>{"in"});
}

TEST_CASE("what a killed run left half-built is removed, and nothing else") {
    const TemporaryFolder folder;
    const std::string model = unet_model(folder, {{"w", "F32", {1}, bytes_of<float>({1})}});
    const std::string stale = folder / ".lcm-0123456789abcdef.tmp", running = folder / ".lcm-fedcba9876543210.tmp";
    write_file(stale + "/unet/half.safetensors", "x");
    write_file(running + "/unet/half.safetensors", "x");
    write_file(folder / ".lcm-1111111111111111.tmp", "a file of another run");
    write_file(folder / ".lcm-work.tmp/precious", "x");
    const Descriptor lock(open_descriptor(running, O_RDONLY | O_DIRECTORY));
    REQUIRE(::flock(lock.get(), LOCK_EX | LOCK_NB) == 0);
    convert(model, folder / "out", Dtype::F16);
    CHECK(names_in(folder.path()) ==
          std::vector<std::string>{".lcm-1111111111111111.tmp", ".lcm-fedcba9876543210.tmp", ".lcm-work.tmp", "in", "out"});
    CHECK(fs::exists(running + "/unet/half.safetensors"));
}

TEST_CASE("files that are taken leniently are written canonically") {
    const TemporaryFolder folder;
    write_file(folder / "in/unet/config.json", "{}");
    const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8],"note":"x"}})";
    write_file(folder / "in/unet/" + weights_name, safetensors_with_header(header, zeros(4) + bytes_of<float>({3})));
    check_error(ExitCode::data, {weights_name}, [&] { convert(folder / "in", folder / "out", Dtype::F16); });
    set_log({.level = LogLevel::error});
    convert(folder / "in", folder / "out", Dtype::F16, Existing::keep, true);
    set_log({});
    CHECK(unet_weights(folder / "out").view("a").item<double>() == 3);
}

TEST_CASE("a file named after its precision gets the usual name, pickles are not copied") {
    const TemporaryFolder folder;
    const std::string model = unet_model(folder, {{"w", "F16", {1}, bytes_of<std::uint16_t>({0x3C00})}});
    fs::rename(model + "/unet/" + weights_name, model + "/unet/diffusion_pytorch_model.fp16.safetensors");
    write_file(model + "/unet/diffusion_pytorch_model.bin", "pickle");
    convert(model, folder / "out", Dtype::BF16);
    CHECK(names_in(folder / "out/unet") == std::vector<std::string>{"config.json", weights_name});
    fs::remove(model + "/unet/diffusion_pytorch_model.fp16.safetensors");
    check_error(ExitCode::refused, {"diffusion_pytorch_model.bin", "pickle"}, [&] { convert(model, folder / "again", Dtype::F32); });
    CHECK_FALSE(fs::exists(folder / "again"));
}

TEST_CASE("shards stay shards, and their index tells the new size") {
    const TemporaryFolder folder;
    write_file(folder / "in/unet/config.json", "{}");
    write_file(folder / "in/unet/a.safetensors", safetensors_bytes({{"a", "F32", {2}, zeros(8)}}));
    write_file(folder / "in/unet/b.safetensors", safetensors_bytes({{"b", "F32", {1}, zeros(4)}}));
    const std::string index = std::string("unet/") + weights_name + ".index.json";
    write_file(folder / "in/" + index, R"({"metadata": {"total_size": 12}, "weight_map": {"a": "a.safetensors", "b": "b.safetensors"}})");
    const std::string expected = R"({"metadata": {"total_size": 6}, "weight_map": {"a": "a.safetensors", "b": "b.safetensors"}})";
    convert(folder / "in", folder / "out", Dtype::F16);
    CHECK(read_file(folder / "out/" + index) == expected);
    const auto files = Bundle::open(folder / "out").weights(Part::unet);
    REQUIRE(files.size() == 2);
    CHECK((files[0].tensors().at("a").dtype == Dtype::F16));
}

TEST_CASE("a tensor that changes in size keeps its zero dimensions") {
    const TemporaryFolder folder;
    const std::string model = unet_model(folder, {{"empty", "F32", {0, 4}, ""}, {"scalar", "F32", {}, bytes_of<float>({3})}});
    convert(model, folder / "out", Dtype::BF16);
    const WeightFile file = unet_weights(folder / "out");
    CHECK(file.tensors().at("empty").shape == std::vector<std::int64_t>{0, 4});
    CHECK(file.view("scalar").item<float>() == 3);
}
