#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/file.h"
#include "lib/stream/header.h"

namespace lcm {

/// True for the types that weights are stored in: F32, F16 and BF16.
bool is_weight_type(Dtype dtype);

/// What messages call tensor `name` of file `path`.
std::string tensor_place(const std::string& path, std::string_view name);

/// A safetensors file, mapped and validated; hands out views, never copies.
///
/// A weight file of KerasCV's Stable Diffusion (HDF5) looks like one in the names of the original code: the sides of its kernels are turned
/// when they are asked for, which makes copies.
class WeightFile {
public:
    /// @param lenient  `--lenient`: keys that no tensor should have, and holes between tensors, are warned about instead of refused
    /// @throws Error(no_input), Error(data) naming the file, Error(refused) for pickles and zip archives;
    ///         GGUF, HTML and Git-LFS pointers are named for what they are; of HDF5 as read_keras_file and name_keras_weights
    explicit WeightFile(const std::string& path, bool lenient = false);

    const std::string& path() const { return file_.path(); }
    /// Tensors by name, in name order.
    const std::map<std::string, TensorEntry, std::less<>>& tensors() const { return tensors_; }
    const std::map<std::string, std::string, std::less<>>& metadata() const { return metadata_; }
    bool has(std::string_view name) const { return tensors_.contains(name); }

    /// Keeps the mapping alive.
    const std::shared_ptr<const void>& owner() const { return file_.owner(); }
    /// The raw bytes of a tensor, as the file holds them.
    std::span<const std::byte> bytes(const TensorEntry& entry) const;
    /// A tensor over the mapped bytes, in the file's own type. @throws Error(data) naming file and tensor
    at::Tensor view(std::string_view name) const;

private:
    void read_safetensors(bool lenient);
    void read_keras();

    MappedFile file_;
    std::uint64_t data_begin_ = 0;
    std::map<std::string, TensorEntry, std::less<>> tensors_;
    std::map<std::string, std::string, std::less<>> metadata_;
    /// Of tensors that are stored with their sides in another order: which of the stored sides each of ours is.
    std::map<std::string, std::vector<std::int64_t>, std::less<>> orders_;
};

}  // namespace lcm
