#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/core/weights/device_weights.h"
#include "lib/core/weights/pack_store.h"
#include "lib/core/weights/weight_file.h"
#include "lib/core/weights/weight_set.h"

namespace lcm {

/// Weights of fewer bytes are packed faster than anybody notices, and are not kept.
constexpr std::uint64_t least_packed_bytes = std::uint64_t{16} << 20;
/// All kept packed weights together; the file that was used last the longest time ago goes first.
constexpr std::uint64_t most_packed_bytes = std::uint64_t{16} << 30;

/// The store of one network's packed weights in the user's cache, named by the hash of `key`, to which the instruction set is added; it
/// counts as used now. Null where there is no cache, or where a file of `bytes` would take more than a quarter of the free disk.
std::unique_ptr<PackStore> open_pack_cache(const std::string& key, std::uint64_t bytes);
/// The same of weight files that are packed in `type`. @param key  asked for, which may take hashing the files, only if they are enough
std::unique_ptr<PackStore> open_pack_cache(const std::vector<WeightFile>& files, at::ScalarType type,
                                           const std::function<std::string()>& key);

/// Keeps what the run has packed. A cache only saves time: what fails is told in the log and nowhere else.
void keep_pack_cache(PackStore& store);

/// What `make` builds of all the weights, changed by `layer`, on `device`; packed ones are looked up and kept in `packed`, null: nowhere.
/// @throws Error(data) as WeightSet
template <typename Make>
auto build_kept(WeightSet weights, at::Device device, const std::unique_ptr<PackStore>& packed, const Make& make,
                const nn::WeightLayer& layer = {}) {
    weights.set_store(packed.get());
    const std::unique_ptr<nn::WeightSource> changed = layer.is_there() ? layer.over(weights) : nullptr;
    auto network = build_on(device, changed ? *changed : weights, make);
    weights.expect_all_used();
    if (packed) keep_pack_cache(*packed);
    return network;
}

}  // namespace lcm
