#pragma once

#include <cstdint>
#include <string>

namespace lcm::cli {

/// Output names of several pictures: a path with one `%d` or `%0Nd` that takes the picture's number, counted from 0; `%%` is a per cent
/// sign.
class OutputPattern {
public:
    /// @throws Error(usage) for any other use of `%`
    explicit OutputPattern(const std::string& text);

    /// False for a plain path, which can take one picture only.
    bool numbered() const { return numbered_; }

    /// The path of picture `number`.
    std::string path(std::uint64_t number) const;

private:
    std::string before_, after_;
    bool numbered_ = false;
    int width_ = 0;
};

}  // namespace lcm::cli
