#include "lib/core/weights/pack_writer.h"

#include <ATen/Parallel.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/base/stop.h"
#include "lib/core/tensor/convert.h"

namespace lcm {

namespace {

constexpr std::uint64_t header_room = std::uint64_t{1} << 20;  // of it, SD 1.5 takes 100 KB and SDXL 300
constexpr std::int64_t write_bytes = 1 << 20;                  // of pieces in memory of a thread

std::uint64_t begin_in_file(const TensorEntry& entry) { return header_room + entry.begin; }

}  // namespace

PackWriter::PackWriter(std::string path) : path_(std::move(path)), file_(path_) {
    // For the user alone, whatever the umask: a store believes no other.
    if (::fchmod(file_.fd(), S_IRUSR | S_IWUSR) != 0) throw_errno(ExitCode::cannot_create, path_, "cannot protect");
}

nn::PackedWeight PackWriter::pack(const std::string& name, const nn::Packing& packing) {
    check_stop();
    const std::int64_t piece_bytes = packing.piece_bytes(), together = std::max<std::int64_t>(1, write_bytes / piece_bytes);
    const auto bytes = static_cast<std::uint64_t>(piece_bytes * packing.pieces());
    const TensorEntry entry{name, dtype_of(packing.type), packing.sizes, header_.data_bytes, header_.data_bytes + bytes};
    at::parallel_for(0, packing.pieces(), together, [&](std::int64_t begin, std::int64_t end) {
        Bytes pieces(static_cast<std::size_t>(std::min(together, end - begin) * piece_bytes));
        for (std::int64_t first = begin; first < end; first += together) {
            const std::int64_t count = std::min(together, end - first);
            for (std::int64_t i = 0; i < count; ++i) packing.pack(first + i, pieces.data() + i * piece_bytes);
            write(std::span(pieces).first(static_cast<std::size_t>(count * piece_bytes)),
                  begin_in_file(entry) + static_cast<std::uint64_t>(first * piece_bytes));
        }
    });
    // On its way to the disk while the next is made.
    ::sync_file_range(file_.fd(), static_cast<off64_t>(begin_in_file(entry)), static_cast<off64_t>(bytes), SYNC_FILE_RANGE_WRITE);
    nn::PackedWeight packed = map(entry);
    header_.tensors.push_back(entry);
    header_.data_bytes = entry.end;
    return packed;
}

void PackWriter::finish(std::map<std::string, std::string, std::less<>> metadata) {
    header_.metadata = std::move(metadata);
    std::string text = format_header(header_);
    std::string frame = frame_of(text);
    if (frame.size() > header_room) throw Error(ExitCode::data, path_, fmt::format("its header takes {} bytes", frame.size()));
    text.append(header_room - frame.size(), ' ');
    frame = frame_of(text);
    write(as_bytes(frame), 0);
    file_.flush(path_);
    if (::rename(file_.path().c_str(), path_.c_str()) != 0) throw_errno(ExitCode::cannot_create, path_, "cannot create");
    file_.let_go();
}

void PackWriter::write(std::span<const std::byte> data, std::uint64_t offset) const {
    while (!data.empty()) {
        const ssize_t count = ::pwrite(file_.fd(), data.data(), data.size(), static_cast<off_t>(offset));
        if (count < 0 && errno != EINTR) throw_errno(ExitCode::io, path_, "cannot write");
        const auto written = static_cast<std::size_t>(std::max<ssize_t>(0, count));
        data = data.subspan(written);
        offset += written;
    }
}

nn::PackedWeight PackWriter::map(const TensorEntry& entry) const {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t begin = begin_in_file(entry), first = begin / page * page, end = begin + (entry.end - entry.begin);
    const auto size = static_cast<std::size_t>(end - first);
    void* const address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file_.fd(), static_cast<off_t>(first));
    if (address == MAP_FAILED) throw_errno(ExitCode::io, path_, "cannot map into memory");
    const std::shared_ptr<const void> owner(address, [size](void* mapped) { ::munmap(mapped, size); });
    const std::span<const std::byte> bytes{static_cast<const std::byte*>(address) + (begin - first), static_cast<std::size_t>(end - begin)};
    return {to_torch({entry.dtype, entry.shape, bytes, owner}), owner};
}

}  // namespace lcm
