#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lcm {

using Bytes = std::vector<std::byte>;

/// The bytes of a string, unchanged.
inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// The name of descriptor 0 as a source; a stream read from it is not named in messages.
inline constexpr std::string_view standard_input_name = "standard input";

/// Where bytes come from: a descriptor, a file or memory.
class ByteSource {
public:
    virtual ~ByteSource() = default;

    /// Reads up to `out.size()` bytes; 0 means the end. Retries EINTR.
    /// @throws Error(io) on a read error
    virtual std::size_t read_some(std::span<std::byte> out) = 0;

    /// Passes over up to `count` bytes; fewer mean the end. Seeks where that is possible. @throws Error(io)
    virtual std::uint64_t skip(std::uint64_t count);

    /// What error messages call this source: a file name or `standard_input_name`.
    virtual const std::string& name() const = 0;

    /// Reads until `out` is full or the source ends; returns the bytes read.
    std::size_t read_full(std::span<std::byte> out);
};

/// Where bytes go. `finish()` must be called and can fail; a sink destroyed without it leaves no partial file.
class ByteSink {
public:
    virtual ~ByteSink() = default;

    /// Writes all of `data`. @throws Error(io); BrokenPipe when the reader has gone
    virtual void write(std::span<const std::byte> data) = 0;

    /// Writes the parts one after the other, in one system call where there is one for it (writev).
    virtual void write_parts(std::span<const std::span<const std::byte>> parts);

    /// Flushes, closes and, for files, renames into place. @throws Error(io) or Error(cannot_create)
    virtual void finish() = 0;

    /// Gives up: closes and removes what is not yet in place. Never throws.
    virtual void abandon() noexcept = 0;

    virtual const std::string& name() const = 0;

    /// True when a reader sees each write at once (a descriptor), false when only `finish()` shows it (an atomic file).
    virtual bool immediate() const = 0;
};

/// Thrown by a sink whose reader has gone; `run_main` turns it into a silent death by SIGPIPE.
struct BrokenPipe {};

/// A source over an open descriptor; closes it when `owned`.
std::unique_ptr<ByteSource> source_from_fd(int fd, std::string name, bool owned);

/// A source over a regular file or FIFO. @throws Error(no_input) when it cannot be opened or is a directory
std::unique_ptr<ByteSource> source_from_file(const std::string& path);

/// A source over bytes in memory (copied).
std::unique_ptr<ByteSource> source_from_memory(std::span<const std::byte> data, std::string name);

/// A sink over an open descriptor, written through at each call; `finish()` closes it with a check when `owned`.
std::unique_ptr<ByteSink> sink_to_fd(int fd, std::string name, bool owned);

/// A sink that collects into `out`, which must outlive it.
std::unique_ptr<ByteSink> sink_to_memory(Bytes& out, std::string name);

/// Everything a source holds, refused above `limit` bytes. Memory grows only as bytes arrive. @throws Error(data)
Bytes read_all(ByteSource& source, std::uint64_t limit);

}  // namespace lcm
