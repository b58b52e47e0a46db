#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lib/core/nn/quantized.h"
#include "lib/core/nn/weight_source.h"
#include "lib/core/weights/name_table.h"
#include "lib/core/weights/pack_store.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// The weights of one part (UNet, VAE, ...) as layers ask for them: names mapped to ours, type converted, use recorded.
///
/// Where file and working type agree a parameter is a view of the mapped file and keeps the mapping alive; else it is a copy.
/// So the set can be dropped once a network is built.
class WeightSet : public nn::WeightSource {
public:
    /// Maps a name in the file to the one our networks use; an empty result drops a tensor known to be unused.
    using KeyMap = std::function<std::string(const std::string&)>;

    /// @param files  at least one, in name order
    /// @param type   the working type, a floating one
    /// @throws Error(data) naming both places when two tensors get one name
    WeightSet(std::vector<WeightFile> files, at::ScalarType type, const KeyMap& map = {});

    /// The same for a file in which the part is one of several, under names that `table` knows.
    ///
    /// Tensors outside the table's prefix are not looked at; one inside it that the table does not know counts as not used.
    WeightSet(std::vector<WeightFile> files, at::ScalarType type, const NameTable& table);

    /// F32, F16 and BF16 tensors are weights, and I8 ones with their scale (`quantized_names.h`), which are given as numbers. A linear
    /// layer stored as a 1x1 convolution [out,in,1,1], or the reverse, is reshaped.
    at::Tensor take(const std::string& name, at::IntArrayRef shape) override { return take_as(name, shape, type_); }
    at::Tensor take_stored(const std::string& name, at::IntArrayRef shape) override;
    bool has(const std::string& name) const override { return where_.contains(name); }
    /// From now on products with I8 weights are made in int8.
    void multiply_in_int8() { int8_ = true; }
    /// That of a module with an I8 weight. @throws Error(data) naming file and tensor that do not fit
    std::shared_ptr<const nn::Product> product(const std::string& module, const nn::ProductShape& shape) override;
    /// The networks made of files are for inference.
    std::optional<at::ScalarType> packs() const override { return type_; }
    nn::PackedWeight find_packed(const std::string& name, const std::string& form) override;
    nn::PackedWeight pack(const std::string& name, const std::string& form, const nn::Packing& packing) override;
    /// Where packed weights are looked up and kept from now on; it must outlive the building of the network. Null: nowhere.
    void set_store(PackStore* store) { store_ = store; }

    /// @throws Error(data) naming the first tensors no layer asked for: nothing in a file is ignored in silence
    void expect_all_used() const;

private:
    struct Place {
        std::size_t file;
        std::string name;
        Cut cut = Cut::whole;
    };
    void add(const std::string& ours, Place place);
    const Place& find(const std::string& name) const;
    at::Tensor take_as(const std::string& name, at::IntArrayRef shape, at::ScalarType type);
    bool is_quantized(const Place& place) const;
    at::Tensor piece_of(const Place& place, at::IntArrayRef shape) const;
    at::Tensor companion(const std::string& name, Dtype dtype, at::IntArrayRef shape);
    nn::QuantizedWeight quantized(const std::string& module, at::IntArrayRef shape);

    std::vector<WeightFile> files_;
    at::ScalarType type_;
    PackStore* store_ = nullptr;
    bool int8_ = false;
    std::map<std::string, Place, std::less<>> where_;
    std::map<std::string, std::string> names_in_file_;  ///< of parameters in a file of other names than ours
    std::set<std::string, std::less<>> used_;
};

}  // namespace lcm
