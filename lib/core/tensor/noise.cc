#include "lib/core/tensor/noise.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "lib/base/error.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/tensor/philox.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr std::int64_t state_bytes = 5056;
constexpr std::int64_t words = 624;

// Byte offsets of the libtorch CPU generator state (lcm-facts, section 6).
namespace offset {
constexpr std::size_t left = 8, seeded = 12, next = 16, words = 24;
constexpr std::size_t normal_y = 5024, normal_is_valid = 5040, float_normal = 5048, float_normal_is_valid = 5052;
}  // namespace offset

template <typename T>
T read(std::span<const std::byte> bytes, std::size_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

void require(bool good, const char* what) {
    if (!good) throw Error(ExitCode::data, std::string(tensor::rng_state), what, "start the picture again from its conditioning");
}

// libtorch checks `left` and `next` each alone: a pair that does not belong together would read past its 624 words.
void check_position(std::span<const std::byte> bytes) {
    const auto left = read<std::int32_t>(bytes, offset::left);
    const auto next = read<std::uint64_t>(bytes, offset::next);
    const bool fresh = left == 1 && next == 0;
    const bool running = left >= 1 && left <= words && next == static_cast<std::uint64_t>(words + 1 - left);
    require(read<std::int32_t>(bytes, offset::seeded) == 1, "the generator state was never seeded");
    require(fresh || running, "the generator state has its position out of range");
}

void check_words(std::span<const std::byte> bytes) {
    for (std::size_t i = 0; i < words; ++i) {
        const auto word = read<std::uint64_t>(bytes, offset::words + sizeof(std::uint64_t) * i);
        require(word <= 0xffffffffU, "the generator state has a word of more than 32 bits");
    }
}

void check_kept_normals(std::span<const std::byte> bytes) {
    const auto kept = read<std::int32_t>(bytes, offset::normal_is_valid);
    const auto kept_float = read<std::uint8_t>(bytes, offset::float_normal_is_valid);
    require((kept == 0 || kept == 1) && kept_float <= 1, "the generator state has a flag that is neither 0 nor 1");
    require(kept == 0 || std::isfinite(read<double>(bytes, offset::normal_y)), "the generator state keeps a normal that is not finite");
    require(kept_float == 0 || std::isfinite(read<float>(bytes, offset::float_normal)),
            "the generator state keeps a normal that is not finite");
}

}  // namespace

NoiseGenerator::NoiseGenerator(const NoiseSource& source) : source_(source) {
    if (source.rng == Rng::torch_cpu) generator_ = at::detail::createCPUGenerator(source.seed);
}

at::Tensor NoiseGenerator::normal(at::IntArrayRef shape, at::ScalarType type) {
    if (source_.rows == 1) return draw(shape, type);
    std::vector<std::int64_t> batch = shape.vec();
    if (batch.empty() || batch.front() != 1)
        throw Error(ExitCode::software, "noise", "a generator of several pictures was asked for more than one of them");
    batch.front() = source_.rows;
    return draw(batch, type).narrow(0, source_.row, 1).contiguous();
}

at::Tensor NoiseGenerator::draw(at::IntArrayRef shape, at::ScalarType type) {
    const std::uint64_t number = draws_++;
    if (source_.rng == Rng::torch_cpu) return at::randn(shape, generator_, at::TensorOptions().dtype(type));
    const at::Tensor numbers = at::empty(shape, at::TensorOptions().dtype(at::kFloat));
    philox_normals(source_.seed, number, {numbers.mutable_data_ptr<float>(), static_cast<std::size_t>(numbers.numel())});
    return numbers.to(type);
}

TensorBytes NoiseGenerator::state() const { return from_torch(generator_.get_state()); }

NoiseGenerator NoiseGenerator::restore(const TensorBytes& state, std::uint64_t draws, const NoiseSource& source) {
    require(state.dtype == Dtype::U8 && state.shape == std::vector<std::int64_t>{state_bytes} && state.data.size() == state_bytes,
            "the generator state is not U8 [5056]");
    check_position(state.data);
    check_words(state.data);
    check_kept_normals(state.data);
    NoiseGenerator noise(source);
    noise.generator_.set_state(to_torch(state));
    noise.source_.seed = noise.generator_.current_seed();
    noise.draws_ = draws;
    return noise;
}

NoiseGenerator NoiseGenerator::restore(const NoiseSource& source, std::uint64_t draws) {
    NoiseGenerator noise(source);
    noise.draws_ = draws;
    return noise;
}

}  // namespace lcm
