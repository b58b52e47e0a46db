#include "lib/cli/output_pattern.h"

#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

namespace lcm::cli {
namespace {

constexpr int widest_number = 20;

[[noreturn]] void refuse(const std::string& text, const char* fault) {
    throw Error(ExitCode::usage, "--output", fmt::format("\"{}\" {}", escape_control(text), fault),
                "write one %04d where the number goes, and %% for a per cent sign");
}

}  // namespace

OutputPattern::OutputPattern(const std::string& text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto& part = numbered_ ? after_ : before_;
        if (text[at] != '%') {
            part += text[at];
            continue;
        }
        const auto end = text.find_first_not_of("0123456789", at + 1);
        const auto digits = end == std::string::npos ? "" : text.substr(at + 1, end - at - 1);
        if (digits.empty() && end != std::string::npos && text[end] == '%') {
            part += '%';
        } else if (end != std::string::npos && text[end] == 'd' && (digits.empty() || digits.front() == '0')) {
            if (numbered_) refuse(text, "has two numbers");
            const auto width = digits.size() < 2 ? std::optional<std::uint64_t>(0) : parse_u64(std::string_view(digits).substr(1));
            if (!width || *width > widest_number) refuse(text, "has a number wider than 20 digits");
            width_ = static_cast<int>(*width);
            numbered_ = true;
        } else {
            refuse(text, "is no file name pattern");
        }
        at = end;
    }
}

std::string OutputPattern::path(std::uint64_t number) const {
    return numbered_ ? fmt::format("{}{:0{}}{}", before_, number, width_, after_) : before_;
}

}  // namespace lcm::cli
