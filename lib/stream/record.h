#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/stream/dtype.h"

namespace lcm {

/// One tensor as plain bytes: row-major, little-endian. Copies share the bytes, which never change.
struct TensorBytes {
    Dtype dtype = Dtype::F32;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> data;
    std::shared_ptr<const void> owner;  ///< keeps `data` alive; not null unless there is none
};

/// A tensor that owns `data`. @throws Error(software) when the size is not that of dtype and shape
TensorBytes make_tensor(Dtype dtype, std::vector<std::int64_t> shape, Bytes data);

/// One picture, frame or conditioning on its way through the tools: tensors by name, metadata by key. The only thing on a pipe.
///
/// The writer's own keys (`lcm.seq`, `lcm.final`, `lcm.count`, checksums, `lcm.version`) never stand in `metadata`:
/// the reader takes them out and the writer makes them anew.
struct Record {
    std::map<std::string, TensorBytes, std::less<>> tensors;
    std::map<std::string, std::string, std::less<>> metadata;

    /// True on the last record of a stream or of a part of one (`cat a b`). A filter copies it to what it derives.
    bool final = false;
    /// True on an end record: no tensors, only the final mark. A filter passes it on.
    bool is_end() const;
    /// True on an error record. A filter that goes on passes it on; `upstream_error` says what it tells.
    bool is_error() const;

    /// Where the record came from, for messages: "record 3", or "a.lcms: record 3". Not written.
    std::string place;

    /// The tensor. @throws Error(data) naming record and tensor, with `fix` as the hint
    const TensorBytes& tensor(std::string_view name, std::string fix = {}) const;
    /// The value, or nullptr.
    const std::string* find(std::string_view key) const;
    /// The value. @throws Error(data) naming record and key
    const std::string& at(std::string_view key) const;
    /// Sets or replaces a value.
    void set(std::string_view key, std::string value);
};

}  // namespace lcm
