// A header that is accepted can be written and is then read as the same header.

#include "lib/stream/header.h"

#include <algorithm>

#include "lib/base/error.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lcm;

bool same(const TensorEntry& a, const TensorEntry& b) {
    return a.name == b.name && a.dtype == b.dtype && a.shape == b.shape && a.begin == b.begin && a.end == b.end;
}

bool same(const Header& a, const Header& b) {
    const auto equal = [](const TensorEntry& one, const TensorEntry& other) { return same(one, other); };
    return a.data_bytes == b.data_bytes && a.metadata == b.metadata && std::ranges::equal(a.tensors, b.tensors, equal);
}

void check(std::string_view text, HeaderLimits limits) {
    Header header;
    try {
        header = parse_header(text, limits, "header");
    } catch (const Error&) {
        return;
    }
    const std::string written = format_header(header);
    fuzz::expect((sizeof(std::uint64_t) + written.size()) % 64 == 0, "the data behind a header that was written is aligned");
    limits.header_bytes += 63;  // for the padding
    const Header again = parse_header(written, limits, "header written again");
    fuzz::expect(same(header, again), "a header that was accepted is read back equal");
    fuzz::expect(format_header(again) == written, "equal headers give equal bytes");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check(fuzz::text_of(data, size), HeaderLimits::stream());
    check(fuzz::text_of(data, size), HeaderLimits::model());
    return 0;
}
