#include "lib/render/picture_info.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/image/encoding.h"
#include "lib/render/provenance.h"
#include "lib/stream/keys.h"
#include "lib/stream/reader.h"

namespace lcm {
namespace {

constexpr std::uint64_t largest_picture_file = std::uint64_t{256} << 20;

/// A source whose first bytes were read before.
class Replayed : public ByteSource {
public:
    Replayed(std::span<const std::byte> head, std::unique_ptr<ByteSource> rest) : head_(head.begin(), head.end()), rest_(std::move(rest)) {}

    std::size_t read_some(std::span<std::byte> out) override {
        if (position_ == head_.size()) return rest_->read_some(out);
        const auto count = std::min(out.size(), head_.size() - position_);
        std::ranges::copy(std::span(head_).subspan(position_, count), out.begin());
        position_ += count;
        return count;
    }

    const std::string& name() const override { return rest_->name(); }

private:
    Bytes head_;
    std::size_t position_ = 0;
    std::unique_ptr<ByteSource> rest_;
};

RecordInfo describe(const Record& record) {
    const auto* kind = record.find(key::kind);
    RecordInfo info{kind == nullptr ? std::string() : *kind, record.final, {}, record.metadata};
    for (const auto& [name, tensor] : record.tensors) info.tensors.push_back({name, tensor.dtype, tensor.shape});
    return info;
}

std::vector<RecordInfo> describe_records(std::unique_ptr<ByteSource> source) {
    RecordReader reader(std::move(source));
    std::vector<RecordInfo> records;
    while (const auto record = reader.next()) records.push_back(describe(*record));
    return records;
}

std::string_view format_name(ImageFormat format) { return format == ImageFormat::png ? "png" : "jpeg"; }

/// Each line of `text` escaped and indented.
std::string indented(std::string_view text) {
    std::string out;
    while (true) {
        const auto end = text.find('\n');
        out += "    " + escape_control(text.substr(0, end)) + "\n";
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
    }
}

std::string text_of(const PictureFile& picture) {
    const auto* unit = picture.channels == 1 ? "channel" : "channels";
    auto out = fmt::format("  {}, {}x{}, {} {}\n", format_name(picture.format), picture.width, picture.height, picture.channels, unit);
    if (!picture.text.parameters.empty()) out += "  parameters:\n" + indented(picture.text.parameters);
    if (const auto source = provenance_of(picture.text.xmp); !source.empty()) out += "  source: " + source + "\n";
    return out;
}

std::string text_of(const std::vector<RecordInfo>& records) {
    std::string out;
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto& record = records[i];
        out += fmt::format("  record {}: {}{}\n", i, escape_control(record.kind), record.final ? ", final" : "");
        for (const auto& tensor : record.tensors)
            out += fmt::format("    {} {} [{}]\n", escape_control(tensor.name), name(tensor.dtype), fmt::join(tensor.shape, ","));
        for (const auto& [key, value] : record.metadata) out += fmt::format("    {} = {}\n", escape_control(key), escape_control(value));
    }
    return out;
}

Json json_text(std::string_view text) { return Json(std::string(text), {}); }

Json json_object(Json::Object object) { return Json(std::move(object), {}); }

Json json_of(std::int64_t number) { return Json(number, {}); }
Json json_of(const TensorInfo& tensor);
Json json_of(const RecordInfo& record);

template <class Item>
Json json_list(const std::vector<Item>& items) {
    Json::Array list;
    for (const auto& item : items) list.push_back(json_of(item));
    return Json(std::move(list), {});
}

Json json_of(const TensorInfo& tensor) {
    return json_object({{"dtype", json_text(name(tensor.dtype))}, {"name", json_text(tensor.name)}, {"shape", json_list(tensor.shape)}});
}

Json json_of(const RecordInfo& record) {
    Json::Object metadata;
    for (const auto& [key, value] : record.metadata) metadata.emplace(key, json_text(value));
    return json_object({{"final", Json(record.final, {})},
                        {"kind", json_text(record.kind)},
                        {"metadata", json_object(std::move(metadata))},
                        {"tensors", json_list(record.tensors)}});
}

Json::Object json_of(const PictureFile& picture) {
    return {{"channels", json_of(picture.channels)},
            {"format", json_text(format_name(picture.format))},
            {"height", json_of(picture.height)},
            {"parameters", json_text(picture.text.parameters)},
            {"source", json_text(provenance_of(picture.text.xmp))},
            {"type", json_text("picture")},
            {"width", json_of(picture.width)}};
}

Json::Object json_of(const std::vector<RecordInfo>& records) { return {{"records", json_list(records)}, {"type", json_text("stream")}}; }

/// JSON with everything beyond printable ASCII as \uXXXX: safe on any terminal.
std::string ascii_json(std::string_view json) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const char16_t unit : utf8_to_utf16(json)) {
        if (unit < 0x7F) {
            out += static_cast<char>(unit);
            continue;
        }
        out += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4) out += digits[unit >> shift & 0xF];
    }
    return out;
}

}  // namespace

FileInfo read_file_info(std::unique_ptr<ByteSource> source) {
    const auto name = source->name();
    std::array<std::byte, 8> head{};
    const auto bytes = std::span(head).first(source->read_full(head));
    const bool is_picture = detect_format(bytes).has_value();
    auto whole = std::make_unique<Replayed>(bytes, std::move(source));
    if (!is_picture) return {name, describe_records(std::move(whole))};
    return {name, inspect_picture(read_all(*whole, largest_picture_file), name)};
}

std::string info_text(const FileInfo& info) {
    return escape_control(info.name) + ":\n" + std::visit([](const auto& content) { return text_of(content); }, info.content);
}

std::string info_json(const FileInfo& info) {
    auto object = std::visit([](const auto& content) { return json_of(content); }, info.content);
    object.emplace("file", json_text(is_utf8(info.name) ? info.name : escape_control(info.name)));
    return ascii_json(to_json(json_object(std::move(object)))) + "\n";
}

}  // namespace lcm
