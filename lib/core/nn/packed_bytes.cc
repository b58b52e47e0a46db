#include "lib/core/nn/packed_bytes.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/from_blob.h>

namespace at::native {

// Exported by libtorch for ahead-of-time compiled models, in a header that is not installed. Weak: another libtorch may not have it.
__attribute__((weak)) Tensor mkldnn_tensor_from_data_ptr(void* data, IntArrayRef shape, ScalarType type, Device device,
                                                         const std::uint8_t* layout, std::int64_t layout_size);

}  // namespace at::native

namespace lcm::nn {

namespace {

template <typename Result>
c10::TypedOperatorHandle<Result(const at::Tensor&)> find(const char* name) {
    return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Result(const at::Tensor&)>();
}

bool has(const char* name) { return c10::Dispatcher::singleton().findSchema({name, ""}).has_value(); }

}  // namespace

bool has_packed_bytes() {
    return at::hasMKLDNN() && at::native::mkldnn_tensor_from_data_ptr != nullptr && has("mkldnn::_get_mkldnn_serialized_md") &&
           has("mkldnn::data_ptr") && has("mkldnn::_nbytes");
}

PackedBytes to_bytes(const at::Tensor& packed) {
    if (!packed.is_mkldnn())
        return {packed.sizes().vec(), packed.scalar_type(), {}, {static_cast<const std::byte*>(packed.const_data_ptr()), packed.nbytes()}};
    static const auto layout_of = find<at::Tensor>("mkldnn::_get_mkldnn_serialized_md");
    static const auto address_of = find<std::int64_t>("mkldnn::data_ptr");
    static const auto size_of = find<std::int64_t>("mkldnn::_nbytes");
    const at::Tensor layout = layout_of.call(packed).contiguous();
    const auto* const first = static_cast<const std::uint8_t*>(layout.const_data_ptr());
    return {packed.sizes().vec(),
            packed.scalar_type(),
            {first, first + layout.nbytes()},
            {reinterpret_cast<const std::byte*>(address_of.call(packed)), static_cast<std::size_t>(size_of.call(packed))}};
}

at::Tensor from_bytes(const PackedBytes& bytes) {
    // The operators only read weights.
    auto* const numbers = const_cast<std::byte*>(bytes.numbers.data());
    if (bytes.layout.empty()) return at::from_blob(numbers, bytes.shape, at::TensorOptions().dtype(bytes.type));
    return at::native::mkldnn_tensor_from_data_ptr(numbers, bytes.shape, bytes.type, at::kCPU, bytes.layout.data(),
                                                   static_cast<std::int64_t>(bytes.layout.size()));
}

}  // namespace lcm::nn
