#include "lib/stream/header_sax.h"

#include <fmt/format.h>

#include <utility>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/log.h"

namespace lcm {

namespace {

constexpr std::string_view metadata_name = "__metadata__";
constexpr std::uint64_t largest_offset = (std::uint64_t{1} << 48) - 1;

bool has_control_character(std::string_view name) {
    for (const unsigned char c : name)
        if (c < 0x20 || c == 0x7F) return true;
    return false;
}

}  // namespace

void HeaderSax::fail(const std::string& what) const { throw Error(ExitCode::data, place_, what); }

bool HeaderSax::fail_value(const std::string& found) const {
    switch (level_) {
        case Level::outside:
            fail("expected an object, found " + found);
        case Level::root:
            fail(metadata_is_next_ ? "__metadata__: expected an object, found " + found
                                   : tensor_label() + ": expected an object, found " + found);
        case Level::metadata:
            fail(fmt::format("metadata key {}: expected a string, found {}", json_quote(key_), found));
        case Level::tensor:
            fail(fmt::format("{}: {}: expected {}, found {}", tensor_label(), key_, key_ == "dtype" ? "a string" : "a list", found));
        default:
            fail(fmt::format("{}: {}: expected an unsigned integer, found {}", tensor_label(), key_, found));
    }
}

std::string HeaderSax::tensor_label() const { return "tensor " + json_quote(header_.tensors.back().name); }

void HeaderSax::check_name(std::string_view name, std::uint64_t limit) const {
    if (name.empty()) fail("empty name");
    if (name.size() > limit) fail(fmt::format("a name of {} bytes, the limit is {}", name.size(), limit));
    if (has_control_character(name)) fail(fmt::format("control character in name {}", json_quote(name)));
    if (name.find("/../") != std::string_view::npos) fail(fmt::format("\"/../\" in name {}", json_quote(name)));
}

// A key beyond the three stands at `extra` until its value has passed; that may be a list or an object of plain values.
bool HeaderSax::skip_extra_value() {
    if (level_ == Level::extra) level_ = Level::tensor;
    return true;
}

bool HeaderSax::start_inside_extra() {
    if (level_ == Level::inside_extra) fail(tensor_label() + ": nested deeper than 3 levels");
    level_ = Level::inside_extra;
    extra_names_.clear();
    return true;
}

bool HeaderSax::other_value(const std::string& found) {
    if (is_extra()) return skip_extra_value();
    fail_value(found);
}

bool HeaderSax::number_unsigned(std::uint64_t value) {
    if (is_extra()) return skip_extra_value();
    if (level_ == Level::shape) {
        if (tensor().shape.size() == limits_.rank) fail(fmt::format("{}: more than {} dimensions", tensor_label(), limits_.rank));
        if (value >= limits_.dimension)
            fail(fmt::format("{}: dimension {}, the limit is {}", tensor_label(), value, limits_.dimension - 1));
        tensor().shape.push_back(static_cast<std::int64_t>(value));
    } else if (level_ == Level::offsets) {
        if (value > largest_offset) fail(fmt::format("{}: offset {}, the limit is {}", tensor_label(), value, largest_offset));
        if (offsets_.size() == 2) fail(tensor_label() + ": data_offsets has more than two numbers");
        offsets_.push_back(value);
    } else {
        fail_value(std::to_string(value));
    }
    return true;
}

bool HeaderSax::string(std::string& value) {
    if (is_extra()) return skip_extra_value();
    if (level_ == Level::metadata) {
        if (value.size() > limits_.value_bytes)
            fail(fmt::format("metadata key {}: {} bytes, the limit is {}", json_quote(key_), value.size(), limits_.value_bytes));
        if (value.find('\0') != std::string::npos) fail(fmt::format("metadata key {}: a zero character", json_quote(key_)));
        header_.metadata.emplace(std::move(key_), std::move(value));
        return true;
    }
    if (level_ != Level::tensor || key_ != "dtype") fail_value(json_quote(value));
    const auto dtype = parse_dtype(value);
    if (!dtype) fail(fmt::format("{}: unknown dtype {}", tensor_label(), json_quote(value)));
    tensor().dtype = *dtype;
    return true;
}

bool HeaderSax::start_object(std::size_t) {
    if (is_extra()) return start_inside_extra();
    if (level_ == Level::outside)
        level_ = Level::root;
    else if (level_ == Level::root)
        level_ = metadata_is_next_ ? Level::metadata : Level::tensor;
    else
        fail_value("an object");
    return true;
}

bool HeaderSax::key(std::string& name) {
    if (level_ == Level::root)
        root_key(name);
    else if (level_ == Level::metadata)
        metadata_key(name);
    else if (level_ == Level::inside_extra)
        inner_key(name);
    else
        tensor_key(name);
    return true;
}

void HeaderSax::root_key(std::string& name) {
    metadata_is_next_ = name == metadata_name;
    if (metadata_is_next_) {
        if (has_metadata_) fail("duplicate name \"__metadata__\"");
        has_metadata_ = true;
        return;
    }
    check_name(name, limits_.name_bytes);
    if (!names_.insert(name).second) fail("duplicate name " + json_quote(name));
    if (names_.size() > limits_.tensors) fail(fmt::format("more than {} tensors", limits_.tensors));
    header_.tensors.emplace_back().name = std::move(name);
    fields_.clear();
    offsets_.clear();
}

void HeaderSax::metadata_key(std::string& name) {
    check_name(name, limits_.key_bytes);
    if (header_.metadata.contains(name)) fail("duplicate metadata key " + json_quote(name));
    if (header_.metadata.size() == limits_.metadata_keys) fail(fmt::format("more than {} metadata keys", limits_.metadata_keys));
    key_ = std::move(name);
}

void HeaderSax::tensor_key(const std::string& name) {
    const bool extra = name != "dtype" && name != "shape" && name != "data_offsets";
    if (extra && !limits_.lenient) fail(fmt::format("{}: unknown key {}", tensor_label(), json_quote(name)));
    if (!fields_.insert(name).second) fail(fmt::format("{}: duplicate key {}", tensor_label(), json_quote(name)));
    key_ = name;
    if (!extra) return;
    level_ = Level::extra;
    if (!std::exchange(warned_, true)) warn(fmt::format("{}: {}: unknown key {}", place_, tensor_label(), json_quote(name)));
}

void HeaderSax::inner_key(const std::string& name) {
    if (!extra_names_.insert(name).second)
        fail(fmt::format("{}: {}: duplicate key {}", tensor_label(), json_quote(key_), json_quote(name)));
}

bool HeaderSax::end_object() {
    if (level_ == Level::tensor) finish_tensor();
    if (level_ == Level::inside_extra)
        level_ = Level::tensor;
    else
        level_ = level_ == Level::root ? Level::outside : Level::root;
    return true;
}

bool HeaderSax::start_array(std::size_t) {
    if (is_extra()) return start_inside_extra();
    if (level_ != Level::tensor || key_ == "dtype") fail_value("a list");
    level_ = key_ == "shape" ? Level::shape : Level::offsets;
    return true;
}

bool HeaderSax::end_array() {
    level_ = Level::tensor;
    return true;
}

void HeaderSax::finish_tensor() {
    for (const char* field : {"dtype", "shape", "data_offsets"})
        if (!fields_.contains(std::string_view(field))) fail(fmt::format("{}: {} is missing", tensor_label(), field));
    if (offsets_.size() != 2) fail(tensor_label() + ": data_offsets needs two numbers");
    tensor().begin = offsets_[0];
    tensor().end = offsets_[1];
    if (tensor().begin > tensor().end)
        fail(fmt::format("{}: data_offsets [{},{}] are reversed", tensor_label(), tensor().begin, tensor().end));
    const auto size = byte_size(tensor().dtype, tensor().shape);
    const std::string shape = fmt::format("[{}]", fmt::join(tensor().shape, ","));
    if (!size)
        fail(fmt::format("{}: {} of shape {} is too large or no whole number of bytes", tensor_label(), name(tensor().dtype), shape));
    if (*size != tensor().end - tensor().begin) {
        fail(fmt::format("{}: {} of shape {} takes {} bytes, data_offsets give {}", tensor_label(), name(tensor().dtype), shape, *size,
                         tensor().end - tensor().begin));
    }
}

}  // namespace lcm
