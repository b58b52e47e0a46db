#include "lib/cli/line_reader.h"

#include <fmt/format.h>

#include <array>

#include "lib/base/error.h"

namespace lcm::cli {

std::optional<std::string> LineReader::next() {
    std::array<char, 4096> chunk;
    auto end = buffer_.find('\n');
    while (end == std::string::npos && !ended_ && buffer_.size() <= longest_ + 1) {
        const auto count = source_->read_some(std::as_writable_bytes(std::span(chunk)));
        ended_ = count == 0;
        const auto searched = buffer_.size();
        buffer_.append(chunk.data(), count);
        end = buffer_.find('\n', searched);
    }
    if (end == std::string::npos && buffer_.empty()) return std::nullopt;
    ++number_;
    auto line = buffer_.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.size() > longest_)
        throw Error(ExitCode::data, name(), fmt::format("line {} is longer than {} bytes", number_, longest_), "shorten it");
    buffer_.erase(0, end == std::string::npos ? buffer_.size() : end + 1);
    return line;
}

}  // namespace lcm::cli
