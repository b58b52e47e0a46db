#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/stream/dtype.h"

namespace lcm {

/// A dataset of a Keras weight file, where it lies in the file.
struct KerasWeight {
    std::string path;  ///< of the dataset
    Dtype dtype = Dtype::F32;
    std::vector<std::int64_t> shape;  ///< as stored: kernels are [height,width,in,out] or [in,out]
    std::uint64_t offset = 0;         ///< of its bytes, which lie together
};

/// The weights of one layer, in the order that Keras gives them.
struct KerasLayer {
    std::string name;
    std::vector<KerasWeight> weights;
};

/// True for the first bytes of an HDF5 file.
bool is_hdf5(std::span<const std::byte> file);

/// The layers with weights of a file in Keras's HDF5 weight format, in the order of its `layer_names`; their names are for messages, as for
/// Keras itself, which goes by the order. Only the structure is read; datasets are described.
/// @throws Error(data) naming file and dataset for one that is missing, of another type than float32 or float16, compressed, in pieces, or
///         kept in another file; Error(refused) in a build without HDF5
std::vector<KerasLayer> read_keras_file(const std::string& path);

}  // namespace lcm
