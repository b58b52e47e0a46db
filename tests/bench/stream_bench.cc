// `stream-bench [RECORDS]`: what records cost, checksums and value checks included. Small ones are latents of 512 x 512 pixels (64 KiB);
// large ones are 16 MiB. Streams go through memory, so that no disk or pipe is measured.

#include <fmt/format.h>

#include <cstdio>

#include "lib/base/number.h"
#include "lib/stream/keys.h"
#include "lib/stream/reader.h"
#include "lib/stream/writer.h"
#include "tests/bench/measure.h"

namespace {

using namespace lcm;

constexpr std::uint64_t usual_records = 200, most_records = 10'000, large_records = 4;

/// A latent [4,side,side] of values that differ.
Record latent_record(std::int64_t side) {
    Bytes data(static_cast<std::size_t>(4 * side * side) * sizeof(float));
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i % 4 == 3 ? 0x3F : i * 37 % 251);  // 0.5 to 1.99
    Record record;
    record.set(key::kind, std::string(kind::latent));
    record.tensors.emplace(tensor::latent, make_tensor(Dtype::F32, {4, side, side}, std::move(data)));
    return record;
}

void write_stream(const Record& record, std::uint64_t count, Bytes& out) {
    out.clear();
    RecordWriter writer(sink_to_memory(out, "memory"));
    for (std::uint64_t i = 0; i < count; ++i) writer.write(record);
    writer.finish();
}

/// A source over bytes that stay where they are.
class ViewSource : public ByteSource {
public:
    explicit ViewSource(std::span<const std::byte> left) : left_(left) {}
    std::size_t read_some(std::span<std::byte> out) override {
        const std::size_t count = std::min(out.size(), left_.size());
        std::copy_n(left_.begin(), count, out.begin());
        left_ = left_.subspan(count);
        return count;
    }
    const std::string& name() const override { return name_; }

private:
    std::span<const std::byte> left_;
    std::string name_ = "memory";
};

void read_stream(const Bytes& stream) {
    RecordReader reader(std::make_unique<ViewSource>(stream));
    while (reader.next()) {
    }
}

struct Seconds {
    double write = 0, read = 0;  ///< of one record
};

Seconds measure(const Record& record, std::uint64_t count) {
    Bytes stream;
    const double write = bench::median_seconds([&] { write_stream(record, count, stream); });
    const double read = bench::median_seconds([&] { read_stream(stream); });
    return {write / static_cast<double>(count), read / static_cast<double>(count)};
}

}  // namespace

int main(int count, char** arguments) {
    const auto records = count > 1 ? parse_u64(arguments[1]) : usual_records;
    if (!records || *records == 0 || *records > most_records) {
        fmt::print(stderr, "usage: {} [RECORDS]  (1 to {}, usually {})\n", arguments[0], most_records, usual_records);
        return 64;
    }
    const Seconds small = measure(latent_record(64), *records);
    const Seconds large = measure(latent_record(1024), large_records);
    constexpr double megabytes = 4.0 * 1024 * 1024 * sizeof(float) / 1e6;
    fmt::print(R"({{"benchmark":"stream","records":{},"write_64KiB_us":{:.1f},"read_64KiB_us":{:.1f},)", *records, small.write * 1e6,
               small.read * 1e6);
    fmt::print(R"("write_16MiB_MB_per_s":{:.0f},"read_16MiB_MB_per_s":{:.0f}}})"
               "\n",
               megabytes / large.write, megabytes / large.read);
    return 0;
}
