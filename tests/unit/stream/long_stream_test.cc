// A stream of any length passes a reader and a writer in the memory of a few records.
#include <malloc.h>

#include <doctest/doctest.h>

#include "lib/stream/reader.h"
#include "lib/stream/writer.h"
#include "tests/unit/base/support.h"
#include "tests/unit/stream/builder.h"

using namespace lcm;
using namespace lcm::test;

namespace {

constexpr int records = 20'000;

// A pipe in memory: a sink, and a source of what was written to it.
struct Tunnel {
    Bytes bytes;
    std::size_t taken = 0;
};

class TunnelSink : public ByteSink {
public:
    explicit TunnelSink(Tunnel& tunnel) : tunnel_(tunnel) {}
    void write(std::span<const std::byte> data) override { tunnel_.bytes.insert(tunnel_.bytes.end(), data.begin(), data.end()); }
    void finish() override {}
    void abandon() noexcept override {}
    const std::string& name() const override { return name_; }
    bool immediate() const override { return true; }

private:
    Tunnel& tunnel_;
    std::string name_ = "tunnel";
};

class TunnelSource : public ByteSource {
public:
    explicit TunnelSource(Tunnel& tunnel) : tunnel_(tunnel) {}
    std::size_t read_some(std::span<std::byte> out) override {
        const std::size_t count = std::min(out.size(), tunnel_.bytes.size() - tunnel_.taken);
        std::copy_n(tunnel_.bytes.data() + tunnel_.taken, count, out.data());
        tunnel_.taken += count;
        if (tunnel_.taken == tunnel_.bytes.size()) {
            tunnel_.bytes.clear();
            tunnel_.taken = 0;
        }
        return count;
    }
    const std::string& name() const override { return name_; }

private:
    Tunnel& tunnel_;
    std::string name_ = "tunnel";
};

// Bytes that the program has allocated; a sanitizer keeps its own count, of which this sees nothing.
std::size_t memory_in_use() {
    const auto found = ::mallinfo2();
    return found.uordblks + found.hblkhd;
}

}  // namespace

TEST_CASE("the memory that a stream takes does not grow with its records") {
    Tunnel tunnel;
    RecordWriter writer(std::make_unique<TunnelSink>(tunnel));
    RecordReader reader(std::make_unique<TunnelSource>(tunnel));
    Record record = example_record();
    std::size_t early = 0, most = 0;
    int lost = 0;
    for (int i = 0; i < records; ++i) {
        record.set("lcm.id", std::to_string(i));
        writer.write(record);
        lost += reader.next()->at("lcm.id") == std::to_string(i) ? 0 : 1;
        if (i == records / 20) early = memory_in_use();
        if (i % 1000 == 0) most = std::max({most, memory_in_use(), tunnel.bytes.capacity()});
    }
    writer.finish();
    CHECK(reader.next()->is_end());
    CHECK(lost == 0);
    CHECK(most <= early + (std::size_t{256} << 10));
}
