#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lib/core/nn/weight_source.h"

namespace lcm {

/// Packed weights of one network in a file, from one run to the next: they are mapped, so that nothing is read, converted or copied, and
/// processes share the memory.
///
/// It is a safetensors file, and as good as its key: what decides the numbers and their order (weights, configuration, type, instruction
/// set) must be in it.
class PackStore {
public:
    /// @param path  of the file; its folder must be there
    /// @param key   refused is a file that says another, is not the user's own, or whose description does not match its checksum
    PackStore(std::string path, std::string key);
    ~PackStore();

    /// Whether an earlier run has left a file that can be used.
    bool is_there() const;
    /// The weight of that name in the file; undefined where there is none.
    nn::PackedWeight find(const std::string& name) const;
    /// Packs a weight into a new file; in memory where the file was there, or cannot be written.
    nn::PackedWeight pack(const std::string& name, const nn::Packing& packing);
    /// Puts the new file in its place, whole or not at all. @throws Error(io), Error(cannot_create), Error(data)
    void keep();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lcm
