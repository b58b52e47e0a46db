#include "lib/stream/foreign.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "lib/stream/reader.h"
#include "tests/unit/base/support.h"
#include "tests/unit/stream/builder.h"

using namespace lcm;
using namespace lcm::test;

namespace {

const std::string four_floats(16, '\0');

std::string plain(const std::string& name, const std::string& shape) {
    return raw_record("{\"" + name + R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,16]}})", four_floats);
}

std::vector<Record> assumed(const std::string& file, const char* kind) {
    RecordReader reader(source_from_memory(as_bytes(file), "a.safetensors"), {.assume_kind = kind});
    std::vector<Record> records;
    while (auto record = reader.next()) records.push_back(std::move(*record));
    return records;
}

std::string fault(const std::string& file, const char* kind) {
    return error_of([&] { assumed(file, kind); });
}

}  // namespace

TEST_CASE("one tensor becomes the main tensor of the kind") {
    for (const auto& [kind, name, shape] : {std::tuple("latent", "latent", "[1,2,2]"), std::tuple("noise", "noise", "[1,2,2]"),
                                            std::tuple("image", "image", "[1,2,2]"), std::tuple("cond", "text.embeds", "[2,2]")}) {
        CAPTURE(kind);
        const auto records = assumed(plain("whatever", shape), kind);
        REQUIRE(records.size() == 1);
        CHECK(records[0].at("lcm.kind") == kind);
        CHECK(records[0].tensor(name).data.size() == 16);
        CHECK(records[0].final);
    }
}

TEST_CASE("a leading dimension is the batch") {
    const auto one = assumed(plain("x", "[1,1,2,2]"), "latent"), two = assumed(plain("x", "[2,1,1,2]"), "latent");
    REQUIRE(one.size() == 1);
    CHECK(one[0].tensor("latent").shape == std::vector<std::int64_t>{1, 2, 2});
    REQUIRE(two.size() == 2);
    CHECK(two[1].tensor("latent").shape == std::vector<std::int64_t>{1, 1, 2});
    CHECK_FALSE(two[0].final);
    CHECK(two[1].final);
    CHECK(two[1].place.find("picture 1") != std::string::npos);
}

TEST_CASE("other tensors and foreign keys are kept") {
    const std::string header = R"({"__metadata__":{"note":"kept"},"latent":{"dtype":"F32","shape":[1,1,2],"data_offsets":[0,8]},)"
                               R"("other":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})";
    const auto records = assumed(raw_record(header, four_floats), "latent");
    REQUIRE(records.size() == 1);
    CHECK(records[0].at("note") == "kept");
    CHECK(records[0].tensor("other").data.size() == 8);
}

TEST_CASE("every tensor that the format knows is split with the batch") {
    const auto pair = [](const char* first, const char* name, const char* second) {
        return raw_record(fmt::format(R"({{"text.embeds":{{"dtype":"F32","shape":{},"data_offsets":[0,8]}},)"
                                      R"("{}":{{"dtype":"F32","shape":{},"data_offsets":[8,16]}}}})",
                                      first, name, second),
                          std::string_view("\0\0\0\0\0\0\x80\x3F\0\0\0\x40\0\0\x40\x40", 16));
    };
    const auto two = assumed(pair("[2,1,1]", "text.negative.embeds", "[2,1,1]"), "cond");
    REQUIRE(two.size() == 2);
    CHECK(two[1].tensor("text.negative.embeds").shape == std::vector<std::int64_t>{1, 1});
    CHECK(two[1].tensor("text.negative.embeds").data[3] == std::byte{0x40});
    CHECK(two[1].tensor("text.negative.embeds").data[2] == std::byte{0x40});
    CHECK(two[0].tensor("text.negative.embeds").data[2] == std::byte{0});
    CHECK(assumed(pair("[1,1,2]", "text.negative.embeds", "[1,2]"), "cond").at(0).tensor("text.embeds").shape.size() == 2);
    CHECK(fault(pair("[2,1,1]", "text.negative.embeds", "[1,2]"), "cond").ends_with("tensor \"text.negative.embeds\": 1 for a batch of 2"));
    CHECK(fault(pair("[2,1,1]", "mine", "[2,1,1]"), "cond").ends_with("tensor \"mine\": 1 for a batch of 2"));
    CHECK(fault(pair("[1,2]", "text.pooled", "[1,1,2]"), "cond").ends_with("expected 1 dimensions, or a batch of such, found 3"));
}

TEST_CASE("what does not fit is named") {
    CHECK(fault(plain("x", "[4]"), "latent").find("expected 3 dimensions") != std::string::npos);
    CHECK(fault(plain("x", "[2,2]"), "latent").find("found 2") != std::string::npos);
    const std::string two =
        R"({"a":{"dtype":"F32","shape":[1,1,2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1,1,2],"data_offsets":[8,16]}})";
    CHECK(fault(raw_record(two, four_floats), "latent").find("\"a\", \"b\"") != std::string::npos);
    CHECK(fault(plain("x", "[1,2,2]") + "more", "latent").find("bytes after the data") != std::string::npos);
    CHECK(fault(plain("x", "[1,2,2]").substr(0, 80), "latent").find("truncated") != std::string::npos);
    CHECK(fault(raw_record("{}"), "latent").starts_with("65"));
}

TEST_CASE("a file that was not announced says how to announce it") {
    const auto fix_of = [](const std::string& file) {
        try {
            RecordReader(source_from_memory(as_bytes(file), "a")).next();
        } catch (const Error& error) {
            return error.fix();
        }
        return std::string("accepted");
    };
    CHECK(fix_of(plain("latent", "[1,2,2]")).find("--assume kind=latent") != std::string::npos);
    CHECK(fix_of(plain("latent_tensor", "[1,1,2,2]")).find("--from comfy") != std::string::npos);
}

TEST_CASE("a record of ours stays what it is, and a foreign one behind it is a fault") {
    const auto stream = written(three_records());
    CHECK(assumed(stream, "noise").front().at("lcm.kind") == "cond");
    CHECK(fault(stream + plain("x", "[1,2,2]"), "latent").starts_with("65"));
}
