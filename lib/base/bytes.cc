#include "lib/base/bytes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/descriptor.h"
#include "lib/base/error.h"

namespace lcm {

namespace {

class DescriptorSource : public ByteSource {
public:
    DescriptorSource(int fd, std::string name, bool owned) : fd_(fd), owned_(owned ? fd : -1), name_(std::move(name)) {}

    std::size_t read_some(std::span<std::byte> out) override { return read_descriptor(fd_, out, name_); }
    std::uint64_t skip(std::uint64_t count) override {
        struct stat status{};
        const auto position = ::lseek(fd_, 0, SEEK_CUR);
        if (position < 0 || ::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) return ByteSource::skip(count);
        const auto left = static_cast<std::uint64_t>(std::max<off_t>(status.st_size - position, 0));
        const auto step = std::min(count, left);
        if (::lseek(fd_, static_cast<off_t>(step), SEEK_CUR) < 0) throw_errno(ExitCode::io, name_, "cannot seek");
        return step;
    }
    const std::string& name() const override { return name_; }

private:
    int fd_;
    Descriptor owned_;
    std::string name_;
};

class MemorySource : public ByteSource {
public:
    MemorySource(std::span<const std::byte> data, std::string name) : data_(data.begin(), data.end()), name_(std::move(name)) {}

    std::size_t read_some(std::span<std::byte> out) override {
        const std::size_t count = std::min(out.size(), data_.size() - position_);
        std::copy_n(data_.data() + position_, count, out.data());
        position_ += count;
        return count;
    }
    const std::string& name() const override { return name_; }

private:
    Bytes data_;
    std::size_t position_ = 0;
    std::string name_;
};

class DescriptorSink : public ByteSink {
public:
    DescriptorSink(int fd, std::string name, bool owned) : fd_(fd), owned_(owned ? fd : -1), name_(std::move(name)) {}

    void write(std::span<const std::byte> data) override { write_descriptor(fd_, {&data, 1}, name_); }
    void write_parts(std::span<const std::span<const std::byte>> parts) override { write_descriptor(fd_, parts, name_); }
    void finish() override {
        if (owned_.get() >= 0) close_checked(off_standard_number(std::move(owned_)), name_);
    }
    void abandon() noexcept override { const Descriptor closing = off_standard_number(std::move(owned_)); }
    const std::string& name() const override { return name_; }
    bool immediate() const override { return true; }

private:
    int fd_;
    Descriptor owned_;
    std::string name_;
};

class MemorySink : public ByteSink {
public:
    MemorySink(Bytes& out, std::string name) : out_(out), name_(std::move(name)) {}

    void write(std::span<const std::byte> data) override { out_.insert(out_.end(), data.begin(), data.end()); }
    void finish() override {}
    void abandon() noexcept override {}
    const std::string& name() const override { return name_; }
    bool immediate() const override { return true; }

private:
    Bytes& out_;
    std::string name_;
};

}  // namespace

std::uint64_t ByteSource::skip(std::uint64_t count) {
    Bytes piece(std::min<std::uint64_t>(count, std::uint64_t{256} << 10));
    std::uint64_t skipped = 0;
    while (skipped < count) {
        const auto got = read_some(std::span(piece).first(std::min<std::uint64_t>(piece.size(), count - skipped)));
        if (got == 0) break;
        skipped += got;
    }
    return skipped;
}

std::size_t ByteSource::read_full(std::span<std::byte> out) {
    std::size_t total = 0;
    while (total < out.size()) {
        const std::size_t count = read_some(out.subspan(total));
        if (count == 0) break;
        total += count;
    }
    return total;
}

void ByteSink::write_parts(std::span<const std::span<const std::byte>> parts) {
    for (const auto part : parts) write(part);
}

std::unique_ptr<ByteSource> source_from_fd(int fd, std::string name, bool owned) {
    return std::make_unique<DescriptorSource>(fd, std::move(name), owned);
}

std::unique_ptr<ByteSource> source_from_file(const std::string& path) {
    Descriptor opened(open_descriptor(path, O_RDONLY | O_NOCTTY));
    struct stat status;
    if (opened.get() < 0 || ::fstat(opened.get(), &status) != 0) throw_errno(ExitCode::no_input, path, "cannot open");
    if (S_ISDIR(status.st_mode)) throw Error(ExitCode::no_input, path, "is a directory, not a file");
    return source_from_fd(opened.release(), path, true);
}

std::unique_ptr<ByteSource> source_from_memory(std::span<const std::byte> data, std::string name) {
    return std::make_unique<MemorySource>(data, std::move(name));
}

std::unique_ptr<ByteSink> sink_to_fd(int fd, std::string name, bool owned) {
    return std::make_unique<DescriptorSink>(fd, std::move(name), owned);
}

std::unique_ptr<ByteSink> sink_to_memory(Bytes& out, std::string name) { return std::make_unique<MemorySink>(out, std::move(name)); }

Bytes read_all(ByteSource& source, std::uint64_t limit) {
    constexpr std::size_t first_step = std::size_t{64} << 10, largest_step = std::size_t{16} << 20;
    Bytes all;
    std::size_t filled = 0;
    while (true) {
        if (filled == all.size()) all.resize(filled + std::clamp(filled, first_step, largest_step));
        const std::size_t count = source.read_some(std::span(all).subspan(filled));
        if (count == 0) {
            all.resize(filled);
            return all;
        }
        filled += count;
        if (filled > limit) throw Error(ExitCode::data, source.name(), fmt::format("holds more than {} bytes", limit));
    }
}

}  // namespace lcm
