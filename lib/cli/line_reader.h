#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lib/base/bytes.h"

namespace lcm::cli {

/// Lines of text from a source, as they arrive; the line end (LF or CRLF) is not part of them.
class LineReader {
public:
    /// @param longest  bytes of the longest line allowed
    LineReader(std::unique_ptr<ByteSource> source, std::size_t longest) : source_(std::move(source)), longest_(longest) {}

    /// The next line, or nothing at the end; a last line without its end counts. @throws Error(data) naming the line that is too long
    std::optional<std::string> next();

    const std::string& name() const { return source_->name(); }

private:
    std::unique_ptr<ByteSource> source_;
    std::size_t longest_;
    std::string buffer_;
    std::size_t number_ = 0;
    bool ended_ = false;
};

}  // namespace lcm::cli
