#pragma once

#include <string>

#include "lib/core/weights/weight_file.h"
#include "tests/unit/safetensors_bytes.h"

/// A tensor of a file as a test writes it again, under another name where one is given.
inline StoredTensor stored_tensor(const lcm::WeightFile& file, const std::string& name, const std::string& as = {}) {
    const lcm::TensorEntry& entry = file.tensors().find(name)->second;
    const auto bytes = file.bytes(entry);
    return {as.empty() ? name : as,
            std::string(lcm::name(entry.dtype)),
            {entry.shape.begin(), entry.shape.end()},
            std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())};
}

/// The bytes of the file with its tensors under the names that `rename` gives; those without a name are left out.
template <typename Rename>
std::string renamed_file(const lcm::WeightFile& file, const Rename& rename) {
    std::vector<StoredTensor> tensors;
    for (const auto& [name, entry] : file.tensors())
        if (const std::string renamed = rename(name); !renamed.empty()) tensors.push_back(stored_tensor(file, name, renamed));
    return safetensors_bytes(tensors);
}
