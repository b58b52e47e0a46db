#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "lib/stream/header.h"

namespace lcm {

/// Takes the events of nlohmann's parser for a safetensors header and throws `Error(data)` at the first fault.
///
/// The grammar is three levels deep: the root object; `__metadata__` and tensor entries; the lists `shape` and `data_offsets`.
/// Checks everything about one entry; what takes all of them (tiling) is the caller's.
class HeaderSax {
public:
    HeaderSax(const HeaderLimits& limits, const std::string& place) : limits_(limits), place_(place) {}

    /// What was read, tensors in the order of the text.
    Header take() { return std::move(header_); }

    // The parser's events.
    bool null() { return other_value("null"); }
    bool boolean(bool value) { return other_value(value ? "true" : "false"); }
    bool number_integer(std::int64_t value) { return other_value(value == 0 ? "-0" : std::to_string(value)); }
    bool number_unsigned(std::uint64_t value);
    bool number_float(double, const std::string& token) { return other_value(token); }
    bool string(std::string& value);
    template <typename Binary>
    bool binary(Binary&) {
        return other_value("binary data");
    }
    bool start_object(std::size_t);
    bool key(std::string& name);
    bool end_object();
    bool start_array(std::size_t);
    bool end_array();
    template <typename Fault>
    bool parse_error(std::size_t position, const std::string&, const Fault&) {
        fail("bad JSON at byte " + std::to_string(position));
    }

private:
    enum class Level { outside, root, metadata, tensor, shape, offsets, extra, inside_extra };

    [[noreturn]] void fail(const std::string& what) const;
    [[noreturn]] bool fail_value(const std::string& found) const;
    bool other_value(const std::string& found);
    bool is_extra() const { return level_ == Level::extra || level_ == Level::inside_extra; }
    bool skip_extra_value();
    bool start_inside_extra();
    void check_name(std::string_view name, std::uint64_t limit) const;
    void root_key(std::string& name);
    void metadata_key(std::string& name);
    void tensor_key(const std::string& name);
    void inner_key(const std::string& name);
    void finish_tensor();
    std::string tensor_label() const;
    TensorEntry& tensor() { return header_.tensors.back(); }

    const HeaderLimits& limits_;
    const std::string& place_;
    Header header_;
    Level level_ = Level::outside;
    bool metadata_is_next_ = false, has_metadata_ = false;
    std::set<std::string, std::less<>> names_;  // a tree: names chosen to collide cannot slow it down
    std::set<std::string, std::less<>> fields_;
    std::set<std::string, std::less<>> extra_names_;
    bool warned_ = false;  // of a key that a tensor should not have
    std::string key_;      // the metadata key or tensor field whose value comes next
    std::vector<std::uint64_t> offsets_;
};

}  // namespace lcm
