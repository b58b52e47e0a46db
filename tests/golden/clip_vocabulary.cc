#include "tests/golden/clip_vocabulary.h"

#include <zlib.h>

#include <fstream>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "lib/base/json.h"
#include "lib/input/text/unicode.h"
#include "tests/golden/golden_case.h"

namespace lcm::golden {

namespace {

constexpr std::size_t merge_count = 48894;  // lines 2 to 48895; the rest of the list is not used

std::vector<std::string> read_merges(const std::string& path) {
    gzFile file = gzopen(path.c_str(), "rb");
    if (file == nullptr) throw std::runtime_error("cannot open " + path);
    std::vector<std::string> lines;
    char line[512];
    while (lines.size() <= merge_count && gzgets(file, line, sizeof line) != nullptr) {
        lines.emplace_back(line);
        lines.back().pop_back();  // the newline
    }
    gzclose(file);
    if (lines.size() != merge_count + 1) throw std::runtime_error(path + " is too short");
    lines.erase(lines.begin());
    return lines;
}

// The printable bytes first, then U+0100 onwards for the others.
std::vector<std::string> byte_characters() {
    std::vector<std::string> characters;
    const auto add = [&characters](char32_t first, char32_t last) {
        for (char32_t point = first; point <= last; ++point) characters.push_back(unicode::encode({&point, 1}));
    };
    add(0x21, 0x7E);
    add(0xA1, 0xAC);
    add(0xAE, 0xFF);
    add(0x100, 0x143);
    return characters;
}

}  // namespace

void write_clip_vocabulary(const std::string& folder) {
    const std::vector<std::string> lines = read_merges(golden::folder() + "/../clip-bpe/bpe_simple_vocab_16e6.txt.gz");
    std::ofstream vocabulary(folder + "/vocab.json", std::ios::binary), merges(folder + "/merges.txt", std::ios::binary);
    std::size_t next = 0;
    const auto add = [&](const std::string& token) {
        vocabulary << (next == 0 ? "{" : ",") << json_quote(token) << ':' << next;
        ++next;
    };
    const std::vector<std::string> characters = byte_characters();
    for (const std::string& character : characters) add(character);
    for (const std::string& character : characters) add(character + "</w>");
    merges << "#version: 0.2\n";
    for (const std::string& line : lines) {
        const std::size_t space = line.find(' ');
        add(line.substr(0, space) + line.substr(space + 1));
        merges << line << '\n';
    }
    add("<|startoftext|>");
    add("<|endoftext|>");
    vocabulary << '}';
}

}  // namespace lcm::golden
