#include "lib/metrics/counted_bytes.h"

#include <atomic>

namespace lcm {

namespace {

std::atomic<std::uint64_t> bytes_in{0}, bytes_out{0};

void add(std::atomic<std::uint64_t>& count, std::uint64_t bytes) { count.fetch_add(bytes, std::memory_order_relaxed); }

class CountedSource : public ByteSource {
public:
    explicit CountedSource(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

    std::size_t read_some(std::span<std::byte> out) override {
        const auto size = source_->read_some(out);
        add(bytes_in, size);
        return size;
    }
    std::uint64_t skip(std::uint64_t count) override {
        const auto skipped = source_->skip(count);
        add(bytes_in, skipped);
        return skipped;
    }
    const std::string& name() const override { return source_->name(); }

private:
    std::unique_ptr<ByteSource> source_;
};

class CountedSink : public ByteSink {
public:
    explicit CountedSink(std::unique_ptr<ByteSink> sink) : sink_(std::move(sink)) {}

    void write(std::span<const std::byte> data) override {
        sink_->write(data);
        add(bytes_out, data.size());
    }
    void write_parts(std::span<const std::span<const std::byte>> parts) override {
        sink_->write_parts(parts);
        for (const auto& part : parts) add(bytes_out, part.size());
    }
    void finish() override { sink_->finish(); }
    void abandon() noexcept override { sink_->abandon(); }
    const std::string& name() const override { return sink_->name(); }
    bool immediate() const override { return sink_->immediate(); }

private:
    std::unique_ptr<ByteSink> sink_;
};

}  // namespace

ByteCounts byte_counts() noexcept { return {bytes_in.load(), bytes_out.load()}; }

std::unique_ptr<ByteSource> counted(std::unique_ptr<ByteSource> source) { return std::make_unique<CountedSource>(std::move(source)); }

std::unique_ptr<ByteSink> counted(std::unique_ptr<ByteSink> sink) { return std::make_unique<CountedSink>(std::move(sink)); }

}  // namespace lcm
