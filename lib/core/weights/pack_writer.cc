#include "lib/core/weights/pack_writer.h"

#include <ATen/Parallel.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/bytes.h"
#include "lib/base/descriptor.h"
#include "lib/base/error.h"
#include "lib/base/stop.h"
#include "lib/core/tensor/convert.h"

namespace lcm {

namespace {

constexpr std::uint64_t header_room = std::uint64_t{1} << 20;  // of it, SD 1.5 takes 100 KB and SDXL 300
constexpr std::int64_t write_bytes = 1 << 20;                  // of pieces in memory of a thread
constexpr std::uint64_t large_page = std::uint64_t{2} << 20;

std::uint64_t begin_in_file(const TensorEntry& entry) { return header_room + entry.begin; }

}  // namespace

PackWriter::PackWriter(std::string path) : path_(std::move(path)), file_(path_) {
    // For the user alone, whatever the umask: a store believes no other.
    if (::fchmod(file_.fd(), S_IRUSR | S_IWUSR) != 0) throw_errno(ExitCode::cannot_create, path_, "cannot protect");
}

// What is written as one large page is cached as one where the file system has them, and mapped at once by every later run; pieces would be
// cached, and mapped, page by page.
void PackWriter::reserve(std::uint64_t end) {
    static const Bytes zeros(large_page);
    for (; reserved_ < end; reserved_ += large_page) write_descriptor_at(file_.fd(), zeros, reserved_, path_);
}

nn::PackedWeight PackWriter::pack(const std::string& name, const nn::Packing& packing) {
    check_stop();
    const std::int64_t piece_bytes = packing.piece_bytes(), together = std::max<std::int64_t>(1, write_bytes / piece_bytes);
    const auto bytes = static_cast<std::uint64_t>(piece_bytes * packing.pieces());
    const TensorEntry entry{name, dtype_of(packing.type), packing.sizes, header_.data_bytes, header_.data_bytes + bytes};
    reserve(header_room + entry.end);
    at::parallel_for(0, packing.pieces(), together, [&](std::int64_t begin, std::int64_t end) {
        Bytes pieces(static_cast<std::size_t>(std::min(together, end - begin) * piece_bytes));
        for (std::int64_t first = begin; first < end; first += together) {
            const std::int64_t count = std::min(together, end - first);
            for (std::int64_t i = 0; i < count; ++i) packing.pack(first + i, pieces.data() + i * piece_bytes);
            write_descriptor_at(file_.fd(), std::span(pieces).first(static_cast<std::size_t>(count * piece_bytes)),
                                begin_in_file(entry) + static_cast<std::uint64_t>(first * piece_bytes), path_);
        }
    });
    // On its way to the disk while the next is made.
    ::sync_file_range(file_.fd(), static_cast<off64_t>(begin_in_file(entry)), static_cast<off64_t>(bytes), SYNC_FILE_RANGE_WRITE);
    const MappedPart part = map_descriptor(file_.fd(), begin_in_file(entry), bytes, ExitCode::io, path_);
    header_.tensors.push_back(entry);
    header_.data_bytes = entry.end;
    return {to_torch({entry.dtype, entry.shape, part.bytes, part.owner}), part.owner};
}

void PackWriter::finish(std::map<std::string, std::string, std::less<>> metadata) {
    header_.metadata = std::move(metadata);
    std::string text = format_header(header_);
    const std::size_t most = header_room - frame_of("").size();
    if (text.size() > most) throw Error(ExitCode::data, path_, fmt::format("its header takes {} bytes", text.size()));
    text.resize(most, ' ');
    write_descriptor_at(file_.fd(), as_bytes(frame_of(text)), 0, path_);
    if (::ftruncate(file_.fd(), static_cast<off_t>(header_room + header_.data_bytes)) != 0)
        throw_errno(ExitCode::io, path_, "cannot end the file");
    file_.flush(path_);
    file_.take_place(path_);
}

}  // namespace lcm
