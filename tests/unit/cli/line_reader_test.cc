#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/error.h"
#include "lib/cli/line_reader.h"

namespace {

using lcm::cli::LineReader;

/// Hands out a text in pieces of a few bytes, as a pipe may.
class Trickle : public lcm::ByteSource {
public:
    Trickle(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}

    std::size_t read_some(std::span<std::byte> out) override {
        const std::size_t count = std::min({out.size(), piece_, text_.size() - position_});
        std::ranges::copy(lcm::as_bytes(text_).subspan(position_, count), out.begin());
        position_ += count;
        return count;
    }
    const std::string& name() const override { return name_; }

private:
    std::string text_, name_ = "trickle";
    std::size_t piece_, position_ = 0;
};

std::vector<std::string> lines_of(const std::string& text, std::size_t piece, std::size_t longest = 100) {
    LineReader reader(std::make_unique<Trickle>(text, piece), longest);
    std::vector<std::string> lines;
    while (auto line = reader.next()) lines.push_back(*line);
    return lines;
}

TEST_CASE("lines end with LF or CRLF, the last one also with the text") {
    for (const std::size_t piece : {1, 2, 3, 4096}) {
        CAPTURE(piece);
        CHECK(lines_of("", piece).empty());
        CHECK(lines_of("one", piece) == std::vector<std::string>{"one"});
        CHECK(lines_of("one\n", piece) == std::vector<std::string>{"one"});
        CHECK(lines_of("one\n\r\n\ntwo\r\n three ", piece) == std::vector<std::string>{"one", "", "", "two", " three "});
        CHECK(lines_of("a\rb\n", piece) == std::vector<std::string>{"a\rb"});
    }
}

TEST_CASE("text longer than one read is put together") {
    const std::string longer(10'000, 'x');
    CHECK(lines_of(longer + "\nshort", 4096, 10'000) == std::vector<std::string>{longer, "short"});
}

TEST_CASE("a line may be as long as the limit, and its end does not count") {
    CHECK(lines_of("12345\n", 4, 5) == std::vector<std::string>{"12345"});
    CHECK(lines_of("12345\r\n", 4, 5) == std::vector<std::string>{"12345"});
    CHECK(lines_of("12345", 4, 5) == std::vector<std::string>{"12345"});
}

TEST_CASE("a longer line is refused by its number, before the rest of it is read") {
    LineReader reader(std::make_unique<Trickle>("ok\n123456" + std::string(1'000'000, 'x'), 4), 5);
    CHECK(reader.next() == "ok");
    try {
        reader.next();
        FAIL("was taken");
    } catch (const lcm::Error& error) {
        CHECK(error.code() == lcm::ExitCode::data);
        CHECK(error.where() == "trickle");
        CHECK(error.fault() == "line 2 is longer than 5 bytes");
    }
}

}  // namespace
