#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

/// A tensor of a hand-made safetensors file.
struct StoredTensor {
    std::string name, dtype;
    std::vector<int> shape;
    std::string data;
};

/// The bytes of numbers, as they lie in memory.
template <typename Number>
std::string bytes_of(const std::vector<Number>& numbers) {
    return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number));
}

/// `count` bytes of zero.
inline std::string zeros(std::size_t count) { return std::string(count, '\0'); }

/// A header length, the header and the data; written without the library, so that a fault there cannot hide.
inline std::string safetensors_with_header(const std::string& header, std::string_view data) {
    const std::uint64_t length = header.size();
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    return bytes + header + std::string(data);
}

/// The bytes of a safetensors file with these tensors, in this order. `padding` spaces shift the data.
inline std::string safetensors_bytes(const std::vector<StoredTensor>& tensors, int padding = 0) {
    std::string header = R"({"__metadata__":{"format":"pt"})", data;
    for (const StoredTensor& tensor : tensors) {
        header += fmt::format(R"(,"{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", tensor.name, tensor.dtype,
                              fmt::join(tensor.shape, ","), data.size(), data.size() + tensor.data.size());
        data += tensor.data;
    }
    return safetensors_with_header(header + "}" + std::string(static_cast<std::size_t>(padding), ' '), data);
}
