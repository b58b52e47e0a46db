#include "lib/stream/writer.h"

#include <unistd.h>

#include <doctest/doctest.h>

#include <csignal>

#include "lib/base/file.h"
#include "lib/base/sha256.h"
#include "lib/stream/reader.h"
#include "tests/unit/base/support.h"
#include "tests/unit/stream/builder.h"

using namespace lcm;
using namespace lcm::test;

namespace {

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A stream read and written again, as every filter does.
std::string passed_through(std::string_view stream) { return written(read_all_records(stream)); }

// What stands in the sink after `records` were written and the tool failed with `error`.
std::string failed_with(const Error& error, const std::vector<Record>& records) {
    Bytes out;
    RecordWriter writer(sink_to_memory(out, "memory"));
    for (const Record& record : records) writer.write(record);
    writer.fail(error, "lcm-denoise");
    return text_of(out);
}

}  // namespace

TEST_CASE("the worked example of the specification, byte for byte") {
    Record record = example_record();
    record.final = true;
    const std::string stream = written({record});
    CHECK(stream.size() == 528);
    CHECK(sha256_hex(as_bytes(stream)) == "80e8f1312373c33eaa57bf11bdc93a52ca67aee6e0a55ac0315b84cfab9d6f8d");
    CHECK(passed_through(stream) == stream);
}

TEST_CASE("the worked example with an end record") {
    const std::string stream = written({example_record()});
    CHECK(stream.size() == 784);
    CHECK(sha256_hex(as_bytes(stream)) == "467a49257ce5807d07c9fbcd445136fcad04aab1c675b5dd344204d206690b43");
    CHECK(passed_through(stream) == stream);
}

TEST_CASE("a stream passes through unchanged") {
    const std::string stream = written(three_records());
    CHECK(passed_through(stream) == stream);
    CHECK(passed_through(stream + stream) == stream + stream);
}

TEST_CASE("F8: equal records give equal bytes, whatever marks they carry") {
    Record marked = example_record();
    for (const char* key : {"lcm.version", "lcm.seq", "lcm.sha256", "lcm.header_sha256"}) marked.set(key, "7");
    CHECK(written({marked}) == written({example_record()}));
}

TEST_CASE("a writer without records closes with an end record") {
    const std::vector<Record> records = read_all_records(written({}));
    REQUIRE(records.size() == 1);
    CHECK(records[0].is_end());
    CHECK(records[0].final);
}

TEST_CASE("records that no reader would take are not written") {
    Bytes out;
    RecordWriter writer(sink_to_memory(out, "memory"));
    Record record = example_record();
    record.set("lcm.prompt", std::string(65'537, 'p'));
    CHECK(error_of([&] { writer.write(record); }) ==
          "65: memory: record 0 header: metadata key \"lcm.prompt\": 65537 bytes, the limit is 65536");
    record = example_record();
    record.set("lcm.prompt", "\xFF");
    CHECK(error_of([&] { writer.write(record); }) == "65: memory: record 0 header: is not valid UTF-8");
    CHECK(out.empty());
}

TEST_CASE("records made wrongly are our own fault") {
    Bytes out;
    RecordWriter writer(sink_to_memory(out, "memory"));
    CHECK(error_of([&] { writer.write(Record{}); }) == "70: a record without \"lcm.kind\" was to be written");
    Record end;
    end.set("lcm.kind", "end");
    CHECK(error_of([&] { writer.write(end); }) == "70: an end record must be final and without tensors");
    Record error;
    for (const auto& [key, value] : {std::pair("lcm.kind", "error"), {"lcm.error_code", "65"}, {"lcm.error", "x"}}) error.set(key, value);
    CHECK(error_of([&] { writer.write(error); }) == "70: an error record of a whole stream was to be written as one of its records");
    Record misfit = example_record();
    misfit.tensors.at("latent").shape = {3};
    CHECK(error_of([&] { writer.write(misfit); }) == "70: tensor latent: its bytes do not fit its shape");
    CHECK(error_of([] { make_tensor(Dtype::F32, {2}, Bytes(7)); }) == "70: a tensor of F32 elements made from 7 bytes");
}

TEST_CASE("a failure travels down the pipe as an error record") {
    const Error error(ExitCode::no_input, "model.safetensors", "cannot open\nthe file");
    const std::string stream = failed_with(error, {example_record()});
    CHECK(stream.starts_with(written({example_record()}).substr(0, 400)));
    CHECK(verdict(stream) == "66: upstream: lcm-denoise: model.safetensors: cannot open\\x0Athe file");
    CHECK(verdict(failed_with(error, {})) == "66: upstream: lcm-denoise: model.safetensors: cannot open\\x0Athe file");
}

TEST_CASE("a relayed failure keeps the name of the tool that failed") {
    const UpstreamError error(ExitCode::data, "upstream", "lcm-encode: the prompt is no UTF-8");
    CHECK(verdict(failed_with(error, {})) == "65: upstream: lcm-encode: the prompt is no UTF-8");
}

TEST_CASE("a failure of any length fits into its record") {
    std::string longest;
    for (int i = 0; i < 100'000; ++i) longest += "\xE2\x82\xAC";
    CHECK(verdict(failed_with(Error(ExitCode::io, "", longest), {})).starts_with("74: upstream: lcm-denoise: \xE2\x82\xAC"));
}

TEST_CASE("a failure leaves no file, finished or not") {
    const TemporaryFolder folder;
    RecordWriter writer(sink_to_file(folder.path("out.lcms")));
    writer.write(example_record());
    writer.fail(Error(ExitCode::data, "", "x"), "lcm-denoise");
    CHECK(folder.count() == 0);
    {
        RecordWriter forgotten(sink_to_file(folder.path("out.lcms")));
    }
    CHECK(folder.count() == 0);
}

TEST_CASE("a failure is silent when the reader has gone") {
    const Pipe pipe = make_pipe();
    ::close(pipe.read_end);
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    RecordWriter writer(sink_to_fd(pipe.write_end, "pipe", true));
    CHECK_THROWS_AS(writer.write(example_record()), BrokenPipe);
    writer.fail(Error(ExitCode::data, "", "x"), "lcm-denoise");
    std::signal(SIGPIPE, before);
}

TEST_CASE("no error record is put behind a record that was cut off") {
    Bytes out;
    class CutSink : public ByteSink {
    public:
        explicit CutSink(Bytes& out) : out_(out) {}
        void write(std::span<const std::byte> data) override {
            out_.insert(out_.end(), data.begin(), data.end());
            if (out_.size() > 100) throw Error(ExitCode::io, name_, "cannot write");
        }
        void finish() override {}
        void abandon() noexcept override {}
        const std::string& name() const override { return name_; }
        bool immediate() const override { return true; }

    private:
        Bytes& out_;
        std::string name_ = "cut";
    };
    RecordWriter writer(std::make_unique<CutSink>(out));
    CHECK_THROWS_AS(writer.write(example_record()), Error);
    const std::size_t before = out.size();
    writer.fail(Error(ExitCode::io, "", "x"), "lcm-denoise");
    CHECK(out.size() == before);
}

TEST_CASE("each record is on its way before the next is made") {
    const Pipe pipe = make_pipe();
    RecordWriter writer(sink_to_fd(pipe.write_end, "pipe", true));
    RecordReader reader(source_from_fd(pipe.read_end, "pipe", true));
    writer.write(example_record());
    CHECK(reader.next()->at("lcm.kind") == "latent");
    writer.finish();
    CHECK(reader.next()->is_end());
    CHECK_FALSE(reader.next().has_value());
}

TEST_CASE("history names each tool once, in canonical form") {
    Record record = example_record();
    add_history(record, "lcm-encode", {"text"});
    CHECK(record.at("lcm.tool") == "lcm-encode");
    CHECK(record.at("lcm.history") == R"([{"args":["text"],"tool":"lcm-encode","version":"1.0.0"}])");
    add_history(record, "lcm-denoise", {"--steps", "4 \"x\""});
    CHECK(record.at("lcm.tool") == "lcm-denoise");
    CHECK(record.at("lcm.history") == R"([{"args":["text"],"tool":"lcm-encode","version":"1.0.0"},)"
                                      R"({"args":["--steps","4 \"x\""],"tool":"lcm-denoise","version":"1.0.0"}])");
}

TEST_CASE("history folds its oldest entries at 64 KiB") {
    Record record = example_record();
    const std::string long_arg(20'000, 'a');
    for (int i = 0; i < 5; ++i) add_history(record, "tool" + std::to_string(i), {long_arg});
    const std::string& text = record.at("lcm.history");
    CHECK(text.size() <= 65'536);
    CHECK(text.starts_with(R"([{"dropped":2},{"args":["aaaa)"));
    CHECK(text.find("\"tool2\"") != std::string::npos);
    add_history(record, "huge", {std::string(70'000, 'a')});
    CHECK(record.at("lcm.history") == R"([{"dropped":6}])");
}

TEST_CASE("a history that is none is refused") {
    Record record = example_record();
    record.place = "record 0";
    const auto fault = [&](const char* history) {
        record.set("lcm.history", history);
        return error_of([&] { add_history(record, "tool", {}); });
    };
    CHECK(fault("[") == "65: record 0: key \"lcm.history\": bad JSON at line 1, column 1");
    CHECK(fault("{}") == "65: record 0: key \"lcm.history\": expected a list, found an object");
    CHECK(fault(R"([{"dropped":"x"}])") ==
          "65: record 0: key \"lcm.history\": item 0: key \"dropped\": expected an integer, found a string");
    CHECK(fault(R"([{"dropped":-1}])") == "65: record 0: key \"lcm.history\": item 0: key \"dropped\": -1 is no number of entries");
    CHECK(fault(R"([{"dropped":9223372036854775807}])").ends_with(" is no number of entries"));
}
