#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/base/temporary.h"
#include "lib/core/nn/packing.h"
#include "lib/stream/header.h"

namespace lcm {

/// A safetensors file of packed weights that is written while they are made: each is then a view of the file, so that no more than a few
/// pieces are ever in memory of the process.
class PackWriter {
public:
    /// Where weights begin in the file and from its beginning: what kernels want.
    static constexpr std::uint64_t alignment = 64;

    /// @throws Error(cannot_create)
    explicit PackWriter(std::string path);

    /// Packs in all threads. What was packed stays valid when the writer and the file are gone.
    /// @param packing  of bytes in multiples of `alignment` @throws Error(io)
    nn::PackedWeight pack(const std::string& name, const nn::Packing& packing);

    /// In the order in which they were packed.
    const std::vector<TensorEntry>& tensors() const { return header_.tensors; }

    /// Puts the file in its place, whole. @throws Error(io), Error(cannot_create), Error(data) where the header takes more than its room
    void finish(std::map<std::string, std::string, std::less<>> metadata);

private:
    void reserve(std::uint64_t end);

    std::string path_;
    TemporaryFile file_;
    std::uint64_t reserved_ = 0;
    Header header_;
};

}  // namespace lcm
