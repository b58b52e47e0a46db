#include "lib/stream/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/stream/header_sax.h"

namespace lcm {

namespace {

constexpr std::size_t alignment = 64;  // of the first data byte within its record

// The JSON without its padding. Done by hand, since the parser skips a byte-order mark and any white space.
std::string_view without_padding(std::string_view text, const std::string& place) {
    if (!text.starts_with('{')) throw Error(ExitCode::data, place, "does not begin with \"{\"");
    const std::size_t last = text.find_last_not_of(' ');
    if (text[last] != '}') throw Error(ExitCode::data, place, "does not end with \"}\" and spaces");
    return text.substr(0, last + 1);
}

void check_tiling(const Header& header, bool holes_may_be, const std::string& place) {
    std::uint64_t end = 0;
    bool warned = false;
    for (const TensorEntry& tensor : header.tensors) {
        if (tensor.begin != end) {
            const bool overlaps = tensor.begin < end;
            const auto fault = fmt::format("tensor {}: begins at {} and {}, which ends at {}", json_quote(tensor.name), tensor.begin,
                                           overlaps ? "overlaps what is before it" : "leaves a hole before it", end);
            if (overlaps || !holes_may_be) throw Error(ExitCode::data, place, fault);
            if (!std::exchange(warned, true)) warn(place + ": " + fault);
        }
        end = tensor.end;
    }
}

void append_tensor(const TensorEntry& tensor, std::string& text) {
    text += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", json_quote(tensor.name), name(tensor.dtype),
                        fmt::join(tensor.shape, ","), tensor.begin, tensor.end);
}

void append_metadata(const Header& header, std::string& text) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : header.metadata) {
        text += text.back() == '{' ? "" : ",";
        text += json_quote(key) + ':' + json_quote(value);
    }
    text += '}';
}

}  // namespace

HeaderLimits HeaderLimits::stream() {
    return {.header_bytes = 1'048'576,
            .tensors = 4'096,
            .rank = 8,
            .dimension = std::uint64_t{1} << 31,
            .metadata_keys = 256,
            .key_bytes = 128,
            .value_bytes = 65'536,
            .name_bytes = 128};
}

HeaderLimits HeaderLimits::model(bool lenient) {
    // Trainers write long names and values: there the header's own limit is enough.
    return {.header_bytes = 100'000'000,
            .tensors = 100'000,
            .rank = 8,
            .dimension = std::uint64_t{1} << 48,
            .metadata_keys = 100'000,
            .key_bytes = 65'536,
            .value_bytes = 100'000'000,
            .name_bytes = 65'536,
            .lenient = lenient};
}

Header parse_header(std::string_view text, const HeaderLimits& limits, const std::string& place) {
    if (text.size() > limits.header_bytes)
        throw Error(ExitCode::data, place, fmt::format("{} bytes, the limit is {}", text.size(), limits.header_bytes));
    const std::string_view json = without_padding(text, place);
    if (!is_utf8(json)) throw Error(ExitCode::data, place, "is not valid UTF-8");
    if (json.find('\0') != std::string_view::npos)
        throw Error(ExitCode::data, place, "a zero byte in JSON");  // the parser would take it for the end
    HeaderSax events(limits, place);
    nlohmann::json::sax_parse(json, &events);
    Header header = events.take();
    std::sort(header.tensors.begin(), header.tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
        return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
    });
    check_tiling(header, limits.lenient, place);
    header.data_bytes = header.tensors.empty() ? 0 : header.tensors.back().end;
    return header;
}

void lay_out(Header& header) {
    std::sort(header.tensors.begin(), header.tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
        return bits(a.dtype) != bits(b.dtype) ? bits(a.dtype) > bits(b.dtype) : a.name < b.name;
    });
    header.data_bytes = 0;
    for (TensorEntry& tensor : header.tensors) {
        const auto size = byte_size(tensor.dtype, tensor.shape);
        if (!size) throw Error(ExitCode::software, "", fmt::format("tensor {} has no size", json_quote(tensor.name)));
        tensor.begin = header.data_bytes;
        tensor.end = header.data_bytes += *size;
    }
}

std::string format_header(const Header& header) {
    std::string text = "{";
    if (!header.metadata.empty()) append_metadata(header, text);
    for (const TensorEntry& tensor : header.tensors) {
        text += text.size() == 1 ? "" : ",";
        append_tensor(tensor, text);
    }
    text += '}';
    const std::size_t with_length = sizeof(std::uint64_t) + text.size();
    text.append((alignment - with_length % alignment) % alignment, ' ');
    return text;
}

std::string frame_of(std::string_view header) {
    const std::uint64_t length = header.size();
    std::string frame(sizeof length, '\0');
    std::memcpy(frame.data(), &length, sizeof length);
    return frame.append(header);
}

}  // namespace lcm
