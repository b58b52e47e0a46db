#include "lib/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "lib/base/descriptor.h"
#include "lib/base/error.h"
#include "lib/base/temporary.h"

namespace lcm {

namespace {

[[noreturn]] void throw_already_there(const std::string& path) {
    throw Error(ExitCode::cannot_create, path, "is already there", "give another name, or leave out --no-clobber");
}

/// False also when one of them cannot be read: then there is nothing to keep.
bool same_bytes(const std::string& left, const std::string& right) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(right, ignored) ||
        std::filesystem::file_size(left, ignored) != std::filesystem::file_size(right, ignored))
        return false;
    const auto a = source_from_file(left), b = source_from_file(right);
    Bytes piece_a(std::size_t{1} << 20), piece_b(piece_a.size());
    while (const auto count = a->read_full(piece_a))
        if (b->read_full(piece_b) != count ||
            !std::equal(piece_a.begin(), piece_a.begin() + static_cast<std::ptrdiff_t>(count), piece_b.begin()))
            return false;
    return true;
}

class AtomicFileSink : public ByteSink {
public:
    AtomicFileSink(const std::string& path, Existing existing) : path_(path), existing_(existing), temporary_(path) {}

    void write(std::span<const std::byte> data) override { write_descriptor(temporary_.fd(), {&data, 1}, path_); }
    void write_parts(std::span<const std::span<const std::byte>> parts) override { write_descriptor(temporary_.fd(), parts, path_); }
    void finish() override {
        temporary_.flush(path_);
        if (existing_ == Existing::keep_equal && same_bytes(temporary_.path(), path_)) return temporary_.remove();
        move_into_place();
    }
    void abandon() noexcept override { temporary_.remove(); }
    const std::string& name() const override { return path_; }
    bool immediate() const override { return false; }

private:
    void move_into_place() {
        if (existing_ == Existing::keep) {
            if (::renameat2(AT_FDCWD, temporary_.path().c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0)
                return temporary_.let_go();
            if (errno == EEXIST) throw_already_there(path_);
            if (errno != EINVAL) throw_errno(ExitCode::cannot_create, path_, "cannot create");
            // This file system cannot refuse; the check at opening must do.
        }
        temporary_.take_place(path_);
    }

    std::string path_;
    Existing existing_;
    TemporaryFile temporary_;
};

std::unique_ptr<ByteSink> sink_to_special_file(const std::string& path) {
    const int fd = open_descriptor(path, O_WRONLY | O_NOCTTY);
    if (fd < 0) throw_errno(ExitCode::cannot_create, path, "cannot open for writing");
    return sink_to_fd(fd, path, true);
}

}  // namespace

std::unique_ptr<ByteSink> sink_to_file(const std::string& path, Existing existing) {
    struct stat status;
    if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
        if (S_ISDIR(status.st_mode)) throw Error(ExitCode::cannot_create, path, "is a directory, not a file");
        return sink_to_special_file(path);
    }
    if (existing == Existing::keep && ::lstat(path.c_str(), &status) == 0) throw_already_there(path);
    return std::make_unique<AtomicFileSink>(path, existing);
}

std::string read_text_file(const std::string& path, std::uint64_t limit) {
    const Bytes bytes = read_all(*source_from_file(path), limit);
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

MappedFile::MappedFile(const std::string& path) : path_(path) {
    // Non-blocking, so that a FIFO is refused instead of waited for.
    const Descriptor opened(open_descriptor(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    struct stat status;
    if (opened.get() < 0 || ::fstat(opened.get(), &status) != 0) throw_errno(ExitCode::no_input, path, "cannot open");
    if (!S_ISREG(status.st_mode))
        throw Error(ExitCode::no_input, path, S_ISDIR(status.st_mode) ? "is a directory, not a file" : "is not a regular file");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) return;  // mmap refuses empty mappings
    MappedPart whole = map_descriptor(opened.get(), 0, size, ExitCode::no_input, path);
    owner_ = std::move(whole.owner);
    bytes_ = whole.bytes;
}

}  // namespace lcm
