#include "lib/cli/output_pattern.h"

#include <fmt/format.h>

#include <functional>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace {

constexpr int widest_number = 20;
constexpr std::size_t longest_id = 128;
constexpr const char* kept_in_id = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

[[noreturn]] void refuse(const std::string& text, const char* fault) {
    throw Error(ExitCode::usage, "--output", fmt::format("\"{}\" {}", escape_control(text), fault),
                "write %04d for the number, {seed} or {id}, and %%, {{ or }} for the sign itself");
}

const std::string& value(const Record& record, std::string_view key, const char* field) {
    const auto* found = record.find(key);
    if (found != nullptr) return *found;
    throw Error(ExitCode::data, record.place, fmt::format("has no \"{}\" for {} in the name of its file", key, field),
                "use %04d in --output");
}

std::string seed_of(const Record& record) {
    const auto& seed = value(record, key::seed, "{seed}");
    if (!parse_u64(seed)) throw Error(ExitCode::data, record.place, fmt::format("key \"{}\" is no seed", key::seed));
    return seed;
}

std::string id_of(const Record& record) {
    auto id = value(record, key::id, "{id}").substr(0, longest_id);
    for (auto at = id.find_first_not_of(kept_in_id); at != std::string::npos; at = id.find_first_not_of(kept_in_id, at)) id[at] = '_';
    if (id.starts_with('.')) id.front() = '_';  // no hidden file, and never `..`
    if (id.empty()) throw Error(ExitCode::data, record.place, fmt::format("key \"{}\" is empty", key::id), "use %04d in --output");
    return id;
}

}  // namespace

OutputPattern::OutputPattern(const std::string& text) {
    for (std::size_t at = 0; at < text.size(); ++at)
        if (text[at] == '%')
            at = take_number(text, at);
        else if (text[at] == '{' || text[at] == '}')
            at = take_brace(text, at);
        else
            parts_.back().text += text[at];
}

bool OutputPattern::takes_many() const { return parts_.size() > 1; }

void OutputPattern::end_part(Field field, int width) {
    parts_.back().field = field;
    parts_.back().width = width;
    parts_.emplace_back();
}

// Both return the place of the last sign they have taken.
std::size_t OutputPattern::take_number(const std::string& text, std::size_t at) {
    const auto end = text.find_first_not_of("0123456789", at + 1);
    const auto digits = end == std::string::npos ? "" : text.substr(at + 1, end - at - 1);
    if (digits.empty() && end != std::string::npos && text[end] == '%') {
        parts_.back().text += '%';
        return end;
    }
    if (end == std::string::npos || text[end] != 'd' || !(digits.empty() || digits.front() == '0')) refuse(text, "is no file name pattern");
    for (const auto& part : parts_)
        if (part.field == Field::number) refuse(text, "has two numbers");
    const auto width = digits.size() < 2 ? std::optional<std::uint64_t>(0) : parse_u64(std::string_view(digits).substr(1));
    if (!width || *width > widest_number) refuse(text, "has a number wider than 20 digits");
    end_part(Field::number, static_cast<int>(*width));
    return end;
}

std::size_t OutputPattern::take_brace(const std::string& text, std::size_t at) {
    if (at + 1 < text.size() && text[at + 1] == text[at]) {
        parts_.back().text += text[at];
        return at + 1;
    }
    for (const auto& [name, field] : {std::pair("{seed}", Field::seed), std::pair("{id}", Field::id)}) {
        const std::string_view word = name;
        if (text.compare(at, word.size(), word) != 0) continue;
        end_part(field);
        return at + word.size() - 1;
    }
    refuse(text, "is no file name pattern");
}

std::string OutputPattern::path(std::uint64_t number, const Record& record) const {
    std::string path;
    for (const auto& part : parts_) {
        path += part.text;
        if (part.field == Field::number) path += fmt::format("{:0{}}", number, part.width);
        if (part.field == Field::seed) path += seed_of(record);
        if (part.field == Field::id) path += id_of(record);
    }
    return path;
}

std::string OutputPattern::take(std::uint64_t number, const Record& record) {
    auto name = path(number, record);
    if (takes_many() && !taken_.insert(std::hash<std::string>{}(name)).second)
        throw Error(ExitCode::usage, "--output", fmt::format("names two files {}", escape_control(name)), "add %04d to the pattern");
    return name;
}

}  // namespace lcm::cli
