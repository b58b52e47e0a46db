#include "lib/stream/sniff.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "lib/base/error.h"

namespace lcm {

namespace {

constexpr std::uint64_t largest_header = 100'000'000;  // of any safetensors file
constexpr const char* converter = "convert it to safetensors with a program you trust";

struct Format {
    std::string_view magic, what, fix;
};

constexpr std::array<Format, 9> formats{{
    {"GGUF", "is a GGUF model", "use the safetensors release of the model"},
    {"version ", "is a Git-LFS pointer, not the file it stands for", "fetch the file with `git lfs pull`"},
    {"\x89PNG", "is a PNG picture", ""},
    {"\xFF\xD8\xFF", "is a JPEG picture", ""},
    {"\x89HDF", "is an HDF5 file", ""},
    {"\x1F\x8B", "is compressed with gzip", "decompress it with `gzip -dc`"},
    {"\x28\xB5\x2F\xFD", "is compressed with zstd", "decompress it with `zstd -dc`"},
    {"\xEF\xBB\xBF", "is a text file with a byte-order mark", ""},
    {"{", "is JSON text without the length in front", ""},
}};

bool could_be_safetensors(std::string_view head) {
    std::uint64_t length;
    if (head.size() < sizeof length) return false;
    std::memcpy(&length, head.data(), sizeof length);
    return length <= largest_header && (head.size() == sizeof length || head[sizeof length] == '{');
}

// Protocols 2 to 5. A pickle shorter than a length is whole, and then ends with its STOP opcode.
bool is_pickle(std::string_view head) {
    const bool marked = head.size() >= 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5;
    return marked && (head.size() >= 8 || head.back() == '.');
}

bool is_zip(std::string_view head) { return head.starts_with(std::string_view("PK\3\4", 4)) || head.starts_with("PK\5\6"); }

bool is_html(std::string_view head) {
    head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
    return head.starts_with("<!") || head.starts_with("<h") || head.starts_with("<H") || head.starts_with("<?");
}

}  // namespace

void refuse_foreign(std::span<const std::byte> bytes, const std::string& place) {
    const std::string_view head(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (could_be_safetensors(head)) return;
    if (is_pickle(head)) throw Error(ExitCode::refused, place, "is a pickle, which can run code when loaded", converter);
    if (is_zip(head)) throw Error(ExitCode::refused, place, "is a zip archive (a PyTorch checkpoint holds pickles)", converter);
    if (is_html(head)) throw Error(ExitCode::data, place, "is an HTML page", "the download has failed: fetch the file again");
    for (const Format& format : formats)
        if (head.starts_with(format.magic)) throw Error(ExitCode::data, place, std::string(format.what), std::string(format.fix));
}

}  // namespace lcm
