#include "lib/core/bundle/size_condition.h"

#include <array>
#include <cstring>
#include <string>

#include "lib/stream/keys.h"

namespace lcm {

void set_size_condition(Record& record, std::int64_t width, std::int64_t height) {
    const auto w = static_cast<float>(width), h = static_cast<float>(height);
    const std::array<float, 6> numbers{h, w, 0, 0, h, w};
    Bytes bytes(sizeof numbers);
    std::memcpy(bytes.data(), numbers.data(), bytes.size());
    const TensorBytes sizes = make_tensor(Dtype::F32, {static_cast<std::int64_t>(numbers.size())}, std::move(bytes));
    for (const std::string_view name : {tensor::text_time_ids, tensor::text_negative_time_ids}) record.tensors.emplace(name, sizes);
}

}  // namespace lcm
