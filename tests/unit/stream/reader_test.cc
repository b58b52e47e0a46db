#include "lib/stream/reader.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "lib/base/sha256.h"
#include "lib/stream/keys.h"
#include "lib/stream/sniff.h"
#include "tests/unit/base/support.h"
#include "tests/unit/stream/builder.h"

using namespace lcm;
using namespace lcm::test;

namespace {

constexpr const char* latent_entry = R"("latent":{"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
const std::string four_zeros(4, '\0');

// A good final record with one key changed, or removed when `value` is null.
std::string changed(const char* key, const char* value) {
    Metadata marks = final_marks();
    marks.erase(key);
    if (value != nullptr) marks.emplace(key, value);
    return sealed(marks, latent_entry, four_zeros);
}

Metadata with(Metadata marks, const Metadata& changes) {
    for (const auto& [key, value] : changes) marks.insert_or_assign(key, value);
    return marks;
}

Metadata second_marks(const std::string& first) {
    return with(final_marks(), {{"lcm.seq", "1"}, {"lcm.count", "2"}, {"lcm.stream_sha256", sha256_hex(as_bytes(first))}});
}

Metadata end_marks(const char* count, std::string_view before) {
    return with(final_marks(), {{"lcm.kind", "end"},
                                {"lcm.seq", before.empty() ? "0" : "1"},
                                {"lcm.count", count},
                                {"lcm.stream_sha256", sha256_hex(as_bytes(before))}});
}

}  // namespace

TEST_CASE("a record comes with its tensors, its keys and its place, without the writer's marks") {
    const std::vector<Record> records = read_all_records(written(three_records()));
    REQUIRE(records.size() == 3);
    CHECK(records[0].place == "memory: record 0");
    CHECK(records[0].metadata == three_records()[0].metadata);
    CHECK(records[0].tensors.size() == 4);
    CHECK(records[0].tensor("odd").dtype == Dtype::F4);
    CHECK(records[0].tensor("empty").shape == std::vector<std::int64_t>{0, 4});
    CHECK(records[0].tensor("empty").data.empty());
    CHECK_FALSE(records[0].final);
    CHECK(records[2].final);
    CHECK(records[2].tensor("latent").data.size() == 4);
    CHECK(records[2].find("lcm.seq") == nullptr);
    CHECK(error_of([&] { records[2].tensor("text.embeds", "encode it"); }) == "65: memory: record 2: has no tensor \"text.embeds\"");
    CHECK(error_of([&] { records[2].at("lcm.prompt"); }) == "65: memory: record 2: has no key \"lcm.prompt\"");
}

TEST_CASE("rows 1 and 2: empty and cut off in the length") {
    CHECK(verdict("") == "65: standard input: empty input");
    const std::string stream = written({example_record()});
    for (std::size_t bytes = 1; bytes < 8; ++bytes)
        CHECK(verdict(stream.substr(0, bytes)) == "65: record 0: truncated length: " + std::to_string(bytes) + " of 8 bytes");
}

TEST_CASE("rows 3 to 6: lengths outside the limits and lengths that are not there") {
    const auto with_length = [](std::uint64_t length) { return std::string(reinterpret_cast<const char*>(&length), 8) + "{}"; };
    const auto refused = [](const char* length) {
        return std::string("65: record 0: header length ") + length + " is not between 2 and 1048576";
    };
    CHECK(verdict(with_length(UINT64_MAX)) == refused("18446744073709551615"));
    CHECK(verdict(with_length(100'000'001)) == refused("100000001"));
    CHECK(verdict(with_length(1'048'577)) == refused("1048577"));
    CHECK(verdict(with_length(0)) == refused("0"));
    CHECK(verdict(with_length(1)) == refused("1"));
    CHECK(verdict(with_length(1'048'576)) == "65: record 0: truncated in the header: 2 of 1048576 bytes");
    CHECK(verdict(source_from_file("/dev/zero")) == "65: /dev/zero: record 0: header length 0 is not between 2 and 1048576");
}

TEST_CASE("header faults name the record, counted over the whole input") {
    const std::string good = written({example_record()});
    CHECK(verdict(good + raw_record("[]")) == "65: record 2 header: does not begin with \"{\"");
    CHECK(verdict(raw_record(" {}")) == "65: record 0 header: does not begin with \"{\"");
}

TEST_CASE("row 14: a record above 1 GiB is refused before its data is read") {
    const std::string tensor = R"("x":{"dtype":"U8","shape":[1073741824],"data_offsets":[0,1073741824]})";
    CHECK(verdict(around(tensor, "")).find("bytes, the limit is 1073741824") != std::string::npos);
}

TEST_CASE("what is no lcm-stream record is named") {
    CHECK(verdict(raw_record("{}")) == "65: record 0: is plain safetensors, not an lcm-stream record");
    CHECK(verdict(raw_record(R"({"__metadata__":{"format":"pt"}})")) == "65: record 0: is plain safetensors, not an lcm-stream record");
    CHECK(verdict(raw_record(R"({"__metadata__":{"lcm.kind":"latent"}})")) == "65: record 0: key \"lcm.kind\" without \"lcm.version\"");
    CHECK(verdict(raw_record(R"({"__metadata__":{"a":"","lcm.future":""}})")) ==
          "65: record 0: key \"lcm.future\" without \"lcm.version\"");
}

TEST_CASE("another major version is refused, a minor one read") {
    CHECK(verdict(changed("lcm.version", "2")) == "65: record 0: is lcm-stream version 2, this build reads version 1");
    CHECK(verdict(changed("lcm.version", "1.3")) == "accepted");
    for (const char* version : {"", "x", "01", "1.", "1.x", "-1", "1 "}) {
        CAPTURE(version);
        CHECK(verdict(changed("lcm.version", version)).ends_with(" is no version"));
    }
}

TEST_CASE("the writer's keys must be there and well formed") {
    CHECK(verdict(changed("lcm.seq", "0")) == "accepted");
    CHECK(verdict(changed("lcm.seq", nullptr)) == "65: record 0: key \"lcm.seq\" is missing");
    CHECK(verdict(changed("lcm.seq", "-0")) == "65: record 0: key \"lcm.seq\": expected an unsigned integer, found \"-0\"");
    CHECK(verdict(changed("lcm.seq", "1")) == "65: record 0: key \"lcm.seq\": expected 0, found 1");
    CHECK(verdict(changed("lcm.kind", nullptr)) == "65: record 0: key \"lcm.kind\" is missing");
    CHECK(verdict(changed("lcm.kind", "film")) == "65: record 0: key \"lcm.kind\": \"film\" is no kind of record");
    CHECK(verdict(changed("lcm.final", "0")) == "65: record 0: key \"lcm.final\": expected \"1\", found \"0\"");
    CHECK(verdict(changed("lcm.final", nullptr)) == "65: record 0: key \"lcm.count\" without \"lcm.final\"");
    CHECK(verdict(changed("lcm.count", nullptr)) == "65: record 0: key \"lcm.count\" is missing");
    CHECK(verdict(changed("lcm.count", "2")) == "65: record 0: key \"lcm.count\": expected 1, found 2");
    CHECK(verdict(changed("lcm.stream_sha256", nullptr)) == "65: record 0: key \"lcm.stream_sha256\" is missing");
    CHECK(verdict(changed("lcm.stream_sha256", "0")) == "65: record 0: stream checksum is wrong: records were changed, lost or put in");
    for (const char* nothing : {"", ",", ",,"}) CHECK(verdict(changed("lcm.require", nothing)) == "accepted");
    CHECK(verdict(changed("lcm.require", ",tiles,")) == "65: record 0: needs features this build does not know: \"tiles\"");
    CHECK(verdict(changed("lcm.require", "zstd,tiles")) == "65: record 0: needs features this build does not know: \"zstd\", \"tiles\"");
}

TEST_CASE("row 20: wrong and missing checksums") {
    CHECK(verdict(changed("lcm.sha256", sha256_hex(as_bytes("other")).c_str())) == "65: record 0: data checksum is wrong");
    CHECK(verdict(changed("lcm.header_sha256", sha256_hex(as_bytes("other")).c_str())) == "65: record 0: header checksum is wrong");
    CHECK(verdict(changed("lcm.header_sha256", nullptr)) == "65: record 0: key \"lcm.header_sha256\" is missing or malformed");
    CHECK(verdict(changed("lcm.header_sha256", "00")) == "65: record 0: header checksum is wrong");
    const Metadata twice = with(final_marks(), {{"other", "text with \"lcm.header_sha256\":\" in it"}});
    CHECK(verdict(sealed(twice, latent_entry, four_zeros)) == "accepted");
    CHECK(verdict(sealed(with(final_marks(), {{"lcm.sha256", ""}}), latent_entry, four_zeros)) == "65: record 0: data checksum is wrong");
}

TEST_CASE("row 19: a stream ends with its mark") {
    const std::string first = sealed(first_marks(), latent_entry, four_zeros);
    CHECK(verdict(first) == "65: standard input: truncated: 1 record, no end mark");
    CHECK(verdict(first + sealed(second_marks(first), latent_entry, four_zeros)) == "accepted");
    CHECK(verdict(first + sealed(end_marks("1", first))) == "accepted");
    CHECK(verdict(first + sealed(end_marks("2", first))) == "65: record 1: key \"lcm.count\": expected 1, found 2");
    const std::string whole = written(three_records());
    CHECK(verdict(whole + first) == "65: standard input: truncated: 4 records, no end mark");
    CHECK(verdict(whole + "x") == "65: record 3: truncated length: 1 of 8 bytes");
}

TEST_CASE("row 19: joined streams are a stream") {
    const std::string whole = written(three_records()), ended = written({example_record()});
    CHECK(verdict(whole + ended + whole) == "accepted");
    const std::vector<Record> records = read_all_records(ended + whole);
    REQUIRE(records.size() == 5);
    CHECK(records[1].is_end());
    CHECK(records[4].final);
}

TEST_CASE("records put in, lost or swapped are seen") {
    const std::string first = sealed(first_marks(), latent_entry, four_zeros);
    const std::string last = sealed(second_marks(first), latent_entry, four_zeros);
    CHECK(verdict(last) == "65: record 0: key \"lcm.seq\": expected 0, found 1");
    CHECK(verdict(first + first + last) == "65: record 1: key \"lcm.seq\": expected 1, found 0");
    const Metadata other = with(first_marks(), {{"note", "another first record"}});
    CHECK(verdict(sealed(other, latent_entry, four_zeros) + last) ==
          "65: record 1: stream checksum is wrong: records were changed, lost or put in");
}

TEST_CASE("F9: an end record may stand alone, and has no tensors") {
    CHECK(verdict(sealed(end_marks("0", ""))) == "accepted");
    CHECK(verdict(sealed(with(first_marks(), {{"lcm.kind", "end"}}))) == "65: record 0: end record without its final mark");
    CHECK(verdict(sealed(end_marks("0", ""), latent_entry, four_zeros)) == "65: record 0: end record with tensors");
}

TEST_CASE("an error record ends the reading, whatever follows") {
    const auto with_keys = [](const Metadata& keys) { return sealed(with(with(first_marks(), {{"lcm.kind", "error"}}), keys)); };
    CHECK(verdict(with_keys({})) == "65: record 0: has no key \"lcm.error_code\"");
    CHECK(verdict(with_keys({{"lcm.error_code", "71"}})) == "65: record 0: has no key \"lcm.error\"");
    const Metadata whole{{"lcm.error_code", "71"}, {"lcm.error", "lcm-encode: out of memory"}};
    const std::string cause = "71: upstream: lcm-encode: out of memory";
    CHECK(verdict(with_keys(whole)) == cause);
    CHECK(verdict(with_keys(whole) + "anything") == cause);
    CHECK(verdict(with_keys(with(whole, {{"lcm.error_scope", "record"}}))) == cause);
    for (const char* code : {"0", "256", "-1", "x", "065"}) {
        CAPTURE(code);
        CHECK(verdict(with_keys(with(whole, {{"lcm.error_code", code}}))).starts_with("65: record 0: key \"lcm.error_code\": "));
    }
}

TEST_CASE("an unknown scope of an error is refused by who must know it") {
    const Metadata marks =
        with(first_marks(), {{"lcm.kind", "error"}, {"lcm.error_code", "71"}, {"lcm.error", "x"}, {"lcm.error_scope", "y"}});
    CHECK(verdict(sealed(marks)) == "71: upstream: x");
    RecordReader reader(source_from_memory(as_bytes(sealed(marks)), "memory"), {.keep_going = true});
    CHECK(error_of([&] { reader.next(); }) == "65: memory: record 0: key \"lcm.error_scope\": \"y\" is no scope");
}

TEST_CASE("unverified, checksums may be wrong or missing, and all else is checked") {
    const auto unverified = [](const std::string& stream) {
        return error_of([&] {
            RecordReader reader(source_from_memory(as_bytes(stream), "memory"), {.verify = false});
            while (reader.next()) {
            }
        });
    };
    for (const char* key : {"lcm.sha256", "lcm.header_sha256", "lcm.stream_sha256"}) {
        CAPTURE(key);
        CHECK(unverified(changed(key, "0")) == "nothing");
    }
    CHECK(unverified(changed("lcm.header_sha256", nullptr)) == "nothing");
    CHECK(unverified(changed("lcm.stream_sha256", nullptr)) == "nothing");
    CHECK(unverified(changed("lcm.seq", "1")) == "65: memory: record 0: key \"lcm.seq\": expected 0, found 1");
    CHECK(unverified(changed("lcm.count", nullptr)) == "65: memory: record 0: key \"lcm.count\" is missing");
    std::string flipped = changed("lcm.seq", "0");
    flipped.back() = '\x01';
    CHECK(unverified(flipped) == "nothing");
    CHECK(verdict(flipped) == "65: record 0: data checksum is wrong");
}

TEST_CASE("the cause from upstream is an error of its own type") {
    const Metadata marks = with(first_marks(), {{"lcm.kind", "error"}, {"lcm.error_code", "77"}, {"lcm.error", "lcm-encode: refused"}});
    RecordReader reader(source_from_memory(as_bytes(sealed(marks)), "memory"));
    CHECK_THROWS_AS(reader.next(), UpstreamError);
}

TEST_CASE("row 15: BOOL bytes are 0 or 1") {
    const char* entry = R"("flags":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]})";
    CHECK(verdict(around(entry, std::string_view("\0\1\1", 3))) == "accepted");
    CHECK(verdict(around(entry, std::string_view("\0\1\2", 3))) == "65: record 0: tensor \"flags\": the BOOL at index 2 is 2");
}

TEST_CASE("known tensors have their dtype") {
    const std::string eight(8, '\0');
    const auto one = [&](const std::string& name, const char* dtype) {
        return verdict(around("\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[1],\"data_offsets\":[0,8]}", eight));
    };
    CHECK(one("latent", "F64") == "65: record 0: tensor \"latent\": expected F32 or F16 or BF16, found F64");
    CHECK(one("text.ids", "I64") == "65: record 0: tensor \"text.ids\": expected I32, found I64");
    CHECK(one("rng.state", "U64") == "65: record 0: tensor \"rng.state\": expected U8, found U64");
    CHECK(one("image", "F64") == "65: record 0: tensor \"image\": expected U8 or F32, found F64");
    CHECK(one("control.canny", "F64") == "65: record 0: tensor \"control.canny\": expected U8 or F32, found F64");
    CHECK(one("sched.outputs", "F64") == "65: record 0: tensor \"sched.outputs\": expected F32, found F64");
    CHECK(one("mine", "F64") == "accepted");
    CHECK(one("controls", "C64") == "accepted");
    const std::string pair = R"("latent":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                             R"("latent.denoised":{"dtype":"F16","shape":[2],"data_offsets":[4,8]})";
    CHECK(verdict(around(pair, eight)) == "65: record 0: tensor \"latent.denoised\": expected F32, found F16");
}

TEST_CASE("row 17: NaN and infinity are refused with their index, denormals pass") {
    const auto with_value = [](float value, std::size_t index) {
        std::vector<float> values(3000, 1.0f);
        values[index] = value;
        Record record = example_record();
        record.tensors.at("latent") = floats({3, 1, 1000}, values);
        return verdict(written({record}));
    };
    CHECK(with_value(NAN, 0) == "65: record 0: tensor \"latent\": the value at index 0 is NaN or infinite");
    CHECK(with_value(INFINITY, 1024) == "65: record 0: tensor \"latent\": the value at index 1024 is NaN or infinite");
    CHECK(with_value(-INFINITY, 2999) == "65: record 0: tensor \"latent\": the value at index 2999 is NaN or infinite");
    CHECK(with_value(std::numeric_limits<float>::denorm_min(), 5) == "accepted");
    CHECK(with_value(std::numeric_limits<float>::max(), 5) == "accepted");

    const auto half = [](const char* dtype, std::string_view bytes) {
        return verdict(around(std::string(R"("noise":{"dtype":")") + dtype + R"(","shape":[2],"data_offsets":[0,4]})", bytes));
    };
    CHECK(half("F16", std::string_view("\x00\x00\x00\x7C", 4)) ==
          "65: record 0: tensor \"noise\": the value at index 1 is NaN or infinite");
    CHECK(half("F16", std::string_view("\x00\x00\xFF\x7B", 4)) == "accepted");
    CHECK(half("BF16", std::string_view("\xC0\xFF\x00\x00", 4)) ==
          "65: record 0: tensor \"noise\": the value at index 0 is NaN or infinite");
    CHECK(half("BF16", std::string_view("\x00\x7C\x7F\x7F", 4)) == "accepted");
    CHECK(verdict(around(R"("mine":{"dtype":"F16","shape":[2],"data_offsets":[0,4]})", std::string_view("\x00\x7C\x00\x7C", 4))) ==
          "accepted");
}

TEST_CASE("row 21: what is no stream is named by its first bytes") {
    const auto foreign = [](std::string_view bytes) { return verdict(std::string(bytes) + std::string(64, 'x')); };
    CHECK(foreign(std::string_view("PK\3\4\0\0\x08\x08", 8)) == "77: record 0: is a zip archive (a PyTorch checkpoint holds pickles)");
    CHECK(foreign("PK\5\6") == "77: record 0: is a zip archive (a PyTorch checkpoint holds pickles)");
    for (const char* head : {"\x80\x02}q", "\x80\x03}q", "\x80\x04\x95\x10", "\x80\x05\x95\x10"})
        CHECK(foreign(head) == "77: record 0: is a pickle, which can run code when loaded");
    CHECK(verdict("\x80\x04N.") == "77: record 0: is a pickle, which can run code when loaded");
    CHECK(foreign("GGUF\3") == "65: record 0: is a GGUF model");
    CHECK(foreign("version https://git-lfs.github.com/spec/v1\n") == "65: record 0: is a Git-LFS pointer, not the file it stands for");
    CHECK(foreign("<!DOCTYPE html>") == "65: record 0: is an HTML page");
    CHECK(foreign("\n <html>") == "65: record 0: is an HTML page");
    CHECK(foreign("\x89PNG\r\n\x1A\n") == "65: record 0: is a PNG picture");
    CHECK(foreign("\xFF\xD8\xFF\xE0") == "65: record 0: is a JPEG picture");
    CHECK(foreign("\x89HDF\r\n\x1A\n") == "65: record 0: is an HDF5 file");
    CHECK(foreign("\x1F\x8B\x08") == "65: record 0: is compressed with gzip");
    CHECK(foreign("\x28\xB5\x2F\xFD") == "65: record 0: is compressed with zstd");
    CHECK(foreign("{\"prompt\":") == "65: record 0: is JSON text without the length in front");
}

TEST_CASE("a header length that looks like a pickle is none") {
    std::string header = "{}";
    header.resize(0x280, ' ');  // its length begins with the bytes 80 02
    CHECK(verdict(raw_record(header)) == "65: record 0: is plain safetensors, not an lcm-stream record");
    CHECK(error_of([&] { refuse_foreign(as_bytes(raw_record(header)), "m"); }) == "nothing");
}
