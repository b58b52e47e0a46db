#include "lib/core/weights/weight_file.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "lib/base/log.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/safetensors_bytes.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

std::string two_tensors(int padding = 0) {
    return safetensors_bytes(
        {{"a.weight", "F32", {2, 2}, bytes_of<float>({1, 2, 3, 4})}, {"b.ids", "I64", {1}, bytes_of<std::int64_t>({7})}}, padding);
}

/// Opens a file of these bytes, which must be refused with the file's name in the message.
void check_refused(ExitCode code, std::initializer_list<std::string_view> words, const std::string& bytes) {
    const TemporaryFolder folder;
    const std::string path = write_file(folder / "model.safetensors", bytes);
    const Error error = caught([&] { WeightFile{path}; });
    CHECK(error.code() == code);
    const std::string line = error.where() + ": " + error.fault() + " | " + error.fix();
    INFO("line: ", line);
    CHECK(line.find(path) != std::string::npos);
    for (const std::string_view word : words) CHECK(line.find(word) != std::string::npos);
}

}  // namespace

TEST_CASE("a weight file shows its tensors, types, shapes and metadata") {
    const TemporaryFolder folder;
    const WeightFile file(write_file(folder / "model.safetensors", two_tensors()));
    CHECK(file.tensors().size() == 2);
    CHECK(file.has("a.weight"));
    CHECK_FALSE(file.has("a"));
    CHECK(file.metadata().at("format") == "pt");
    CHECK((file.tensors().at("b.ids").dtype == Dtype::I64));
    CHECK(file.bytes(file.tensors().at("b.ids")).size() == 8);
}

TEST_CASE("views are right at every alignment and outlive the file object") {
    for (int padding = 0; padding < 8; ++padding) {
        const TemporaryFolder folder;
        const std::string path = write_file(folder / "model.safetensors", two_tensors(padding));
        at::Tensor a, b;
        {
            const WeightFile file(path);
            a = file.view("a.weight");
            b = file.view("b.ids");
        }
        CAPTURE(padding);
        CHECK(at::equal(a, at::tensor(at::ArrayRef<float>({1, 2, 3, 4})).reshape({2, 2})));
        CHECK(b.item<std::int64_t>() == 7);
    }
}

TEST_CASE("an aligned view is the mapping itself") {
    const TemporaryFolder folder;
    std::string bytes;
    for (int padding = 0; padding < 4; ++padding) {
        bytes = two_tensors(padding);
        if ((bytes.size() - 24) % 4 == 0) break;  // 24 bytes of data
    }
    const WeightFile file(write_file(folder / "model.safetensors", bytes));
    CHECK(file.view("a.weight").const_data_ptr() == static_cast<const void*>(file.bytes(file.tensors().at("a.weight")).data()));
}

TEST_CASE("a tensor that is not there, or of a type libtorch lacks, is named") {
    const TemporaryFolder folder;
    const std::string bytes = safetensors_bytes({{"packed", "F4", {2}, zeros(1)}});
    const std::string path = write_file(folder / "model.safetensors", bytes);
    const WeightFile file(path);
    check_error(ExitCode::data, {path, "tensor \"absent\""}, [&] { file.view("absent"); });
    check_error(ExitCode::data, {path, "tensor \"packed\"", "F4"}, [&] { file.view("packed"); });
}

TEST_CASE("every truncation of a weight file is refused") {
    const std::string whole = two_tensors();
    const TemporaryFolder folder;
    const std::string path = folder / "model.safetensors";
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write_file(path, std::string_view(whole).substr(0, size));
        CAPTURE(size);
        CHECK((caught([&] { WeightFile{path}; }).code() == ExitCode::data));
    }
    check_refused(ExitCode::data, {"the file is empty"}, "");
    check_refused(ExitCode::data, {"5 bytes"}, "12345");
    check_refused(ExitCode::data, {"truncated: a header of 200"}, std::string("\xC8\0\0\0\0\0\0\0{}", 10));
    check_refused(ExitCode::data, {"truncated: the header describes 24 bytes of data, the file holds 23"},
                  whole.substr(0, whole.size() - 1));
}

TEST_CASE("bytes after the data are refused") {
    check_refused(ExitCode::data, {"the header describes 24 bytes of data, the file holds 25"}, two_tensors() + "x");
    check_refused(ExitCode::data, {"describes 24"}, two_tensors() + two_tensors());
}

TEST_CASE("a file taken leniently may have holes and odd keys, and its tensors are where they say") {
    const TemporaryFolder folder;
    const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8],"note":"x"}})";
    const std::string path = write_file(folder / "model.safetensors", safetensors_with_header(header, zeros(4) + bytes_of<float>({3})));
    CHECK(caught([&] { WeightFile{path}; }).code() == ExitCode::data);
    set_log({.level = LogLevel::error});
    CHECK(WeightFile(path, true).view("a").item<float>() == 3);
    set_log({});
    const std::string longer = write_file(folder / "longer.safetensors", safetensors_with_header(header, zeros(9)));
    CHECK(caught([&] { WeightFile(longer, true); }).fault().find("8 bytes of data, the file holds 9") != std::string::npos);
}

TEST_CASE("a header length above the limit is refused before anything is read") {
    check_refused(ExitCode::data, {"18446744073709551615"}, std::string(8, '\xFF') + "{}");
    check_refused(ExitCode::data, {"100000001"}, std::string("\x01\xE1\xF5\x05\0\0\0\0{}", 10));
}

TEST_CASE("headers that lie are refused") {
    check_refused(ExitCode::data, {}, safetensors_with_header("[]", ""));
    check_refused(ExitCode::data, {}, safetensors_with_header(" {}", ""));
    const auto check_entry = [](const std::string& entry, std::size_t data_bytes) {
        check_refused(ExitCode::data, {"\"w\""}, safetensors_with_header("{\"w\":" + entry + "}", zeros(data_bytes)));
    };
    check_entry(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", 4);
    check_entry(R"({"dtype":"F31","shape":[1],"data_offsets":[0,4]})", 4);
    check_entry(R"({"dtype":"U8","shape":[1],"data_offsets":[1,2]})", 2);
    check_entry(R"({"dtype":"F32","shape":[4194305,4194305,211106198978564],"data_offsets":[0,16]})", 16);
}

TEST_CASE("pickles and archives are refused with 77 and a way out, other formats are named") {
    check_refused(ExitCode::refused, {"pickle", "safetensors"}, "\x80\x02}q\x01(X\x05");
    check_refused(ExitCode::refused, {"zip", "safetensors"}, std::string("PK\x03\x04\x14\0\0\0archive", 15));
    check_refused(ExitCode::data, {"GGUF"}, std::string("GGUF\x03\0\0\0\0\0\0\0", 12));
    check_refused(ExitCode::data, {"Git-LFS pointer"}, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3438167540\n");
    check_refused(ExitCode::data, {"HTML"}, "<!DOCTYPE html><html><body>Not Found</body></html>");
}

TEST_CASE("what is no regular file is no weight file") {
    const TemporaryFolder folder;
    check_error(ExitCode::no_input, {folder.path(), "directory"}, [&] { WeightFile{folder.path()}; });
    check_error(ExitCode::no_input, {"absent.safetensors"}, [&] { WeightFile{folder / "absent.safetensors"}; });
    const std::string fifo = folder / "pipe.safetensors";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    check_error(ExitCode::no_input, {fifo}, [&] { WeightFile{fifo}; });
}
