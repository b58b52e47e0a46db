#include "lib/metrics/counted_bytes.h"

#include "lib/metrics/meter.h"

namespace lcm {

namespace {

class CountedSource : public ByteSource {
public:
    CountedSource(std::unique_ptr<ByteSource> source, Meter& meter) : source_(std::move(source)), meter_(meter) {}

    std::size_t read_some(std::span<std::byte> out) override {
        const auto size = source_->read_some(out);
        meter_.count(Counter::bytes_in, size);
        return size;
    }
    const std::string& name() const override { return source_->name(); }

private:
    std::unique_ptr<ByteSource> source_;
    Meter& meter_;
};

class CountedSink : public ByteSink {
public:
    CountedSink(std::unique_ptr<ByteSink> sink, Meter& meter) : sink_(std::move(sink)), meter_(meter) {}

    void write(std::span<const std::byte> data) override {
        sink_->write(data);
        meter_.count(Counter::bytes_out, data.size());
    }
    void write_parts(std::span<const std::span<const std::byte>> parts) override {
        sink_->write_parts(parts);
        for (const auto& part : parts) meter_.count(Counter::bytes_out, part.size());
    }
    void finish() override { sink_->finish(); }
    void abandon() noexcept override { sink_->abandon(); }
    const std::string& name() const override { return sink_->name(); }
    bool immediate() const override { return sink_->immediate(); }

private:
    std::unique_ptr<ByteSink> sink_;
    Meter& meter_;
};

}  // namespace

std::unique_ptr<ByteSource> counted(std::unique_ptr<ByteSource> source, Meter& meter) {
    return std::make_unique<CountedSource>(std::move(source), meter);
}

std::unique_ptr<ByteSink> counted(std::unique_ptr<ByteSink> sink, Meter& meter) {
    return std::make_unique<CountedSink>(std::move(sink), meter);
}

}  // namespace lcm
