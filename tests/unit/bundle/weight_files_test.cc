#include "lib/core/bundle/weight_files.h"

#include <doctest/doctest.h>

#include "tests/unit/caught_error.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

using Paths = std::vector<std::string>;

/// A folder with empty files of these names.
struct Folder : TemporaryFolder {
    explicit Folder(std::initializer_list<const char*> names) {
        for (const char* name : names) write_file(*this / name, "");
    }
};

}  // namespace

TEST_CASE("the usual names come first") {
    const Folder both({"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin"});
    CHECK(find_weight_files(both.path()) == Paths{both / "diffusion_pytorch_model.safetensors"});
    const Folder text({"model.safetensors", "model.fp16.safetensors", "pytorch_model.bin"});
    CHECK(find_weight_files(text.path()) == Paths{text / "model.safetensors"});
}

TEST_CASE("the only safetensors file is taken, of two none") {
    const Folder half({"diffusion_pytorch_model.fp16.safetensors", "diffusion_pytorch_model.bin", "config.json"});
    CHECK(find_weight_files(half.path()) == Paths{half / "diffusion_pytorch_model.fp16.safetensors"});
    const Folder two({"a.safetensors", "b.safetensors"});
    check_error(ExitCode::data, {two.path(), "a.safetensors or b.safetensors"}, [&] { find_weight_files(two.path()); });
}

TEST_CASE("shards are named by their index, each once, in name order") {
    const Folder folder({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"});
    const std::string index = folder / "model.safetensors.index.json";
    write_file(index, R"({"metadata": {"total_size": 12}, "weight_map": {"a": "model-00002-of-00002.safetensors",
        "b": "model-00001-of-00002.safetensors", "c": "model-00002-of-00002.safetensors"}})");
    CHECK(find_weight_files(folder.path()) ==
          Paths{folder / "model-00001-of-00002.safetensors", folder / "model-00002-of-00002.safetensors"});
}

TEST_CASE("an index cannot lead out of its folder") {
    const Folder folder({});
    const std::string index = folder / "model.safetensors.index.json";
    for (const char* name : {"../secret.safetensors", "/etc/passwd.safetensors", "weights.bin", ".."}) {
        write_file(index, R"({"weight_map": {"a": ")" + std::string(name) + "\"}}");
        check_error(ExitCode::data, {index, name}, [&] { find_weight_files(folder.path()); });
    }
    write_file(index, R"({"weight_map": {}})");
    check_error(ExitCode::data, {index, "no weight file"}, [&] { find_weight_files(folder.path()); });
    write_file(index, R"({"weight_map": {"a": 1}})");
    check_error(ExitCode::data, {index}, [&] { find_weight_files(folder.path()); });
    write_file(index, "{}");
    check_error(ExitCode::data, {index, "weight_map"}, [&] { find_weight_files(folder.path()); });
}

TEST_CASE("pickles alone are refused with a way out") {
    for (const char* name : {"diffusion_pytorch_model.bin", "model.ckpt", "weights.pt", "weights.pth", "weights.pkl"}) {
        const Folder folder({name, "config.json"});
        check_error(ExitCode::refused, {folder / name, "pickle", "safe_serialization"}, [&] { find_weight_files(folder.path()); });
    }
}

TEST_CASE("no weights at all") {
    const Folder folder({"config.json"});
    check_error(ExitCode::no_input, {folder.path(), "no weights"}, [&] { find_weight_files(folder.path()); });
}

TEST_CASE("a precision in a file's name is taken off") {
    CHECK(usual_weight_name("diffusion_pytorch_model.fp16.safetensors") == "diffusion_pytorch_model.safetensors");
    CHECK(usual_weight_name("model.fp16.safetensors") == "model.safetensors");
    CHECK(usual_weight_name("model.safetensors") == "model.safetensors");
    CHECK(usual_weight_name("other.safetensors") == "other.safetensors");
    CHECK(usual_weight_name("model-00001-of-00002.safetensors") == "model-00001-of-00002.safetensors");
}

TEST_CASE("a variant is a word in the names") {
    const TemporaryFolder folder;
    for (const char* name : {"model.safetensors", "model.fp16.safetensors"}) write_file(folder / name, "");
    CHECK(find_weight_files(folder.path(), "fp16") == Paths{folder / "model.fp16.safetensors"});
    CHECK(find_weight_files(folder.path()) == Paths{folder / "model.safetensors"});
    check_error(ExitCode::no_input, {folder.path(), "no weights of variant \"ema\""}, [&] { find_weight_files(folder.path(), "ema"); });
    write_file(folder / "model.safetensors.index.ema.json", R"({"weight_map": {"a": "model-1.ema.safetensors"}})");
    CHECK(find_weight_files(folder.path(), "ema") == Paths{folder / "model-1.ema.safetensors"});
}

TEST_CASE("an index and its shards agree both ways") {
    const TemporaryFolder folder;
    write_file(folder / "a.safetensors", safetensors_bytes({{"one", "F32", {1}, zeros(4)}}));
    write_file(folder / "b.safetensors", safetensors_bytes({{"two", "F32", {1}, zeros(4)}, {"three", "F32", {1}, zeros(4)}}));
    const std::string index = folder / "model.safetensors.index.json";
    const auto check = [&] {
        std::vector<WeightFile> files;
        for (const std::string& path : find_weight_files(folder.path())) files.emplace_back(path);
        expect_index_agrees(folder.path(), "", files);
    };
    write_file(index, R"({"weight_map": {"one": "a.safetensors", "two": "b.safetensors", "three": "b.safetensors"}})");
    check();
    write_file(index, R"({"weight_map": {"one": "a.safetensors", "two": "b.safetensors"}})");
    check_error(ExitCode::data, {folder / "b.safetensors", "\"three\"", index}, check);
    write_file(index, R"({"weight_map": {"one": "a.safetensors", "two": "a.safetensors", "three": "b.safetensors"}})");
    check_error(ExitCode::data, {folder / "a.safetensors", "\"two\"", "missing"}, check);
}
