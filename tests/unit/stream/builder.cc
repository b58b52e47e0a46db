#include "tests/unit/stream/builder.h"

#include <cstring>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/sha256.h"
#include "lib/stream/reader.h"
#include "lib/stream/writer.h"

namespace lcm::test {

namespace {

constexpr const char* zero_digits = "0000000000000000000000000000000000000000000000000000000000000000";

class DrippingSource : public ByteSource {
public:
    explicit DrippingSource(std::string_view stream) : stream_(stream) {}

    std::size_t read_some(std::span<std::byte> out) override {
        if (position_ == stream_.size() || out.empty()) return 0;
        out.front() = static_cast<std::byte>(stream_[position_++]);
        return 1;
    }
    const std::string& name() const override { return name_; }

private:
    std::string stream_;
    std::size_t position_ = 0;
    std::string name_{standard_input_name};
};

std::string with_header_checksum(std::string header, std::string_view data) {
    const std::string unsealed = raw_record(header);
    const std::size_t digits = header.find(zero_digits);
    if (digits != std::string::npos) header.replace(digits, 64, sha256_hex(as_bytes(unsealed)));
    return raw_record(header, data);
}

}  // namespace

TensorBytes floats(std::vector<std::int64_t> shape, const std::vector<float>& values) {
    Bytes data(values.size() * sizeof(float));
    std::memcpy(data.data(), values.data(), data.size());
    return make_tensor(Dtype::F32, std::move(shape), std::move(data));
}

Record example_record() {
    Record record;
    record.metadata = {{"lcm.kind", "latent"}, {"lcm.latent_space", "scaled"}, {"lcm.layout", "CHW"}, {"lcm.vae_scale", "0.18215"}};
    record.tensors.emplace("latent", floats({1, 2, 2}, {0, 1, -1, 0.5}));
    return record;
}

std::vector<Record> three_records() {
    std::vector<Record> records(3, example_record());
    records[0].set("lcm.kind", "cond");
    records[0].set("lcm.prompt", "a \"red\" apple,\n\tcaf\xC3\xA9 \\ \x01");
    records[0].set("x.unknown", "kept");
    records[0].tensors = {{"text.embeds", floats({1, 3}, {1, 2, 3})}};
    records[0].tensors.emplace("odd", make_tensor(Dtype::F4, {2, 3}, Bytes(3, std::byte{0xAB})));
    records[0].tensors.emplace("yes", make_tensor(Dtype::BOOL, {2}, {std::byte{0}, std::byte{1}}));
    records[0].tensors.emplace("empty", make_tensor(Dtype::I64, {0, 4}, {}));
    records[2].tensors = {{"latent", make_tensor(Dtype::F16, {1, 1, 2}, Bytes(4, std::byte{0x3C}))}};
    records[2].final = true;
    return records;
}

std::string written(const std::vector<Record>& records) {
    Bytes out;
    RecordWriter writer(sink_to_memory(out, "memory"));
    for (const Record& record : records) writer.write(record);
    writer.finish();
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

std::string raw_record(std::string_view header, std::string_view data) {
    const std::uint64_t length = header.size();
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    return bytes.append(header).append(data);
}

Metadata final_marks() {
    Metadata marks = first_marks();
    marks.insert({{"lcm.final", "1"}, {"lcm.count", "1"}, {"lcm.stream_sha256", sha256_hex({})}});
    return marks;
}

Metadata first_marks() { return {{"lcm.version", "1"}, {"lcm.kind", "latent"}, {"lcm.seq", "0"}, {"lcm.header_sha256", zero_digits}}; }

std::string sealed(Metadata metadata, std::string_view tensors, std::string_view data) {
    metadata.emplace("lcm.sha256", sha256_hex(as_bytes(data)));
    std::string members;
    for (const auto& [key, value] : metadata) {
        members += members.empty() ? "" : ",";
        members += json_quote(key) + ":" + json_quote(value);
    }
    std::string header = "{\"__metadata__\":{" + members + "}";
    header += tensors.empty() ? "" : ",";
    header.append(tensors).append("}");
    return with_header_checksum(std::move(header), data);
}

std::string around(std::string_view tensors, std::string_view data) { return sealed(final_marks(), tensors, data); }

std::string verdict(std::unique_ptr<ByteSource> source) {
    try {
        RecordReader reader(std::move(source));
        while (reader.next()) {
        }
    } catch (const Error& error) {
        return std::to_string(static_cast<int>(error.code())) + ": " + error.what();
    }
    return "accepted";
}

std::string verdict(std::string_view stream) { return verdict(source_from_memory(as_bytes(stream), std::string(standard_input_name))); }

std::unique_ptr<ByteSource> dripping_source(std::string_view stream) { return std::make_unique<DrippingSource>(stream); }

std::vector<Record> read_all_records(std::string_view stream) {
    RecordReader reader(source_from_memory(as_bytes(stream), "memory"));
    std::vector<Record> records;
    while (auto record = reader.next()) records.push_back(std::move(*record));
    return records;
}

}  // namespace lcm::test
