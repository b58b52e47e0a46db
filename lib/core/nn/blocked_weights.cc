#include "lib/core/nn/blocked_weights.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "lib/core/nn/blocked_run.h"
#include "lib/core/nn/kernels/product.h"
#include "lib/core/nn/kernels/vector_kernels.h"

namespace lcm::nn::blocked {

namespace {

constexpr std::int64_t gates = panel_outputs / 2;

std::int64_t whole_panels(std::int64_t sums) { return (sums + panel_outputs - 1) / panel_outputs * panel_outputs; }

/// What an instruction sums up of one output at once.
using Word = std::uint32_t;
constexpr std::int64_t block_words = block_bytes / static_cast<std::int64_t>(sizeof(Word)), step_words = 2 * group_pixels * block_words;
static_assert(step_words * sizeof(Word) == panel_step_bytes);

/// A block of channels of one output, in numbers that fill it.
template <typename Number>
struct Block {
    static constexpr std::int64_t channels = block_bytes / static_cast<std::int64_t>(sizeof(Number));
    Number numbers[channels] = {};

    /// Takes its place among the outputs of a panel's step.
    void put(std::int64_t column, Word* step) const {
        Word words[block_words];
        std::memcpy(words, numbers, sizeof words);
        Word* const to = step + column / group_pixels * group_pixels * block_words + column % group_pixels;
        for (std::int64_t i = 0; i < block_words; ++i) to[i * group_pixels] = words[i];
    }
};

void convert(const VectorKernels& kernels, const Half* from, float* to, std::int64_t count) { kernels.half_to_f32(from, to, count); }
void convert(const VectorKernels& kernels, const Half* from, Bf16* to, std::int64_t count) { kernels.half_to_bf16(from, to, count); }
void convert(const VectorKernels& kernels, const Bf16* from, float* to, std::int64_t count) { kernels.bf16_to_f32(from, to, count); }
void convert(const VectorKernels& kernels, const float* from, Bf16* to, std::int64_t count) { kernels.f32_to_bf16(from, to, count); }
template <typename Number>
void convert(const VectorKernels&, const Number* from, Number* to, std::int64_t count) {
    std::copy_n(from, count, to);
}

/// A weight as it is stored.
class Stored {
public:
    explicit Stored(const at::Tensor& weight)
        : numbers_(static_cast<const std::byte*>(weight.const_data_ptr())),
          type_(weight.scalar_type()),
          size_(weight.element_size()),
          inputs_(weight.size(1)),
          taps_(weight.numel() / (weight.size(0) * weight.size(1))) {}

    std::int64_t inputs() const { return inputs_; }
    std::int64_t taps() const { return taps_; }

    /// All taps of `count` inputs from `input` of an output, as f32 or bf16, or bytes as they are.
    template <typename Number>
    void read(const VectorKernels& kernels, std::int64_t output, std::int64_t input, std::int64_t count, Number* to) const {
        const std::byte* const from = numbers_ + (output * inputs_ + input) * taps_ * size_;
        if constexpr (std::is_same_v<Number, std::int8_t>)
            convert(kernels, reinterpret_cast<const std::int8_t*>(from), to, count * taps_);
        else if (type_ == at::kHalf)
            convert(kernels, reinterpret_cast<const Half*>(from), to, count * taps_);
        else if (type_ == at::kBFloat16)
            convert(kernels, reinterpret_cast<const Bf16*>(from), to, count * taps_);
        else
            convert(kernels, reinterpret_cast<const float*>(from), to, count * taps_);
    }

private:
    const std::byte* numbers_;
    at::ScalarType type_;
    std::int64_t size_, inputs_, taps_;
};

// Block by block, so that what is written stays in the first cache.
template <typename Number>
void pack_panel(const Stored& weight, const std::int64_t* rows, Word* to) {
    constexpr std::int64_t channels = Block<Number>::channels;
    const VectorKernels& kernels = vector_kernels();
    const std::int64_t taps = weight.taps();
    std::vector<Number> numbers(static_cast<std::size_t>(channels * taps));
    for (std::int64_t first = 0; first < weight.inputs(); first += channels, to += taps * step_words)
        for (std::int64_t column = 0; column < panel_outputs; ++column) {
            const std::int64_t count = rows[column] < 0 ? 0 : std::min(channels, weight.inputs() - first);
            if (count > 0) weight.read(kernels, rows[column], first, count, numbers.data());
            for (std::int64_t tap = 0; tap < taps; ++tap) {
                Block<Number> block;
                for (std::int64_t i = 0; i < count; ++i) block.numbers[i] = numbers[static_cast<std::size_t>(i * taps + tap)];
                block.put(column, to + tap * step_words);
            }
        }
}

constexpr std::int64_t kernel_numbers = 9;

/// G g along one line of a weight's window, whose numbers lie `step` apart as those of the result do `result_step`: plain
/// [g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2], doubling [g0, g0 + g1 + g2, g2].
template <Windows windows>
inline void transform(const float* g, std::int64_t step, float* result, std::int64_t result_step) {
    constexpr bool plain = windows == Windows::plain;
    const float first = g[0], middle = g[step], last = g[2 * step], outer = first + last;
    result[0] = first;
    result[result_step] = plain ? (outer + middle) / 2 : outer + middle;
    if (plain) result[2 * result_step] = (outer - middle) / 2;
    result[(plain ? 3 : 2) * result_step] = last;
}

/// G g G^T of the windows of a block of inputs, tap by tap.
template <Windows windows, std::int64_t count>
void transform(const float* g, float (&taps)[window_taps(windows)][count]) {
    constexpr std::int64_t side = window_side(windows);
    float numbers[kernel_numbers][count], rows[3 * side][count];
    for (std::int64_t i = 0; i < count; ++i)
        for (std::int64_t k = 0; k < kernel_numbers; ++k) numbers[k][i] = g[i * kernel_numbers + k];
    for (std::int64_t x = 0; x < 3; ++x)
        for (std::int64_t i = 0; i < count; ++i) transform<windows>(&numbers[x][i], 3 * count, &rows[x][i], 3 * count);
    for (std::int64_t y = 0; y < side; ++y)
        for (std::int64_t i = 0; i < count; ++i) transform<windows>(&rows[3 * y][i], count, &taps[side * y][i], count);
}

template <typename Number, Windows windows>
void pack_window_panel(const Stored& weight, const std::int64_t* rows, Word* to) {
    constexpr std::int64_t channels = Block<Number>::channels;
    const VectorKernels& kernels = vector_kernels();
    const std::int64_t tap_words = ceil_divide(weight.inputs(), channels) * step_words;
    for (std::int64_t first = 0; first < weight.inputs(); first += channels, to += step_words)
        for (std::int64_t column = 0; column < panel_outputs; ++column) {
            float g[channels * kernel_numbers] = {}, taps[window_taps(windows)][channels];
            if (rows[column] >= 0) weight.read(kernels, rows[column], first, std::min(channels, weight.inputs() - first), g);
            transform<windows, channels>(g, taps);
            for (std::int64_t tap = 0; tap < window_taps(windows); ++tap) {
                Block<Number> block;
                convert(kernels, taps[tap], block.numbers, channels);
                block.put(column, to + tap * tap_words);
            }
        }
}

using PackPanel = void (*)(const Stored& weight, const std::int64_t* rows, Word* panel);

Packing packing(const at::Tensor& weight, const SumRows& rows, std::vector<std::int64_t> sizes, at::ScalarType type, PackPanel pack_panel) {
    return {std::move(sizes), type, [weight, rows, pack_panel](std::int64_t panel, void* to) {
                pack_panel(Stored(weight), rows.data() + panel * panel_outputs, static_cast<Word*>(to));
            }};
}

}  // namespace

Numbers numbers_of(at::ScalarType type) {
    if (type == at::kFloat) return Numbers::f32;
    return type == at::kBFloat16 ? Numbers::bf16 : Numbers::int8;
}

SumRows plain_rows(std::int64_t outputs) {
    SumRows rows(static_cast<std::size_t>(whole_panels(outputs)), -1);
    for (std::int64_t i = 0; i < outputs; ++i) rows[static_cast<std::size_t>(i)] = i;
    return rows;
}

SumRows gated_rows(std::int64_t outputs) {
    SumRows rows(static_cast<std::size_t>(whole_panels((outputs + gates - 1) / gates * panel_outputs)), -1);
    for (std::int64_t i = 0; i < outputs; ++i) {
        const auto value = static_cast<std::size_t>(i / gates * panel_outputs + i % gates);
        rows[value] = i;
        rows[value + gates] = outputs + i;
    }
    return rows;
}

at::Tensor places(const SumRows& rows, std::int64_t outputs) {
    at::Tensor result = at::empty({outputs}, at::kLong);
    auto* const place = result.mutable_data_ptr<std::int64_t>();
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i] >= 0) place[rows[i]] = static_cast<std::int64_t>(i);
    return result;
}

Packing panel_packing(const at::Tensor& weight, const SumRows& rows, at::ScalarType type) {
    const at::Tensor plain = weight.contiguous();
    const auto channels = block_channels(numbers_of(type)), panels = static_cast<std::int64_t>(rows.size()) / panel_outputs;
    const std::int64_t inputs = plain.size(1), taps = plain.numel() / (plain.size(0) * inputs);
    const PackPanel pack = type == at::kFloat ? pack_panel<float> : type == at::kChar ? pack_panel<std::int8_t> : pack_panel<Bf16>;
    return packing(plain, rows, {panels, ceil_divide(inputs, channels), taps, 2, group_pixels, channels}, type, pack);
}

Packing window_packing(const at::Tensor& weight, const SumRows& rows, Windows windows, at::ScalarType type) {
    const at::Tensor plain = weight.contiguous();
    const auto channels = block_channels(numbers_of(type)), panels = static_cast<std::int64_t>(rows.size()) / panel_outputs;
    const bool doubles = windows == Windows::doubling;
    PackPanel pack = doubles ? pack_window_panel<Bf16, Windows::doubling> : pack_window_panel<Bf16, Windows::plain>;
    if (type == at::kFloat) pack = doubles ? pack_window_panel<float, Windows::doubling> : pack_window_panel<float, Windows::plain>;
    const std::int64_t steps = window_taps(windows) * ceil_divide(plain.size(1), channels);
    return packing(plain, rows, {panels, steps, 2, group_pixels, channels}, type, pack);
}

at::Tensor pack_numbers(const at::Tensor& numbers, const SumRows& rows) {
    at::Tensor packed = at::zeros({static_cast<std::int64_t>(rows.size())}, at::kFloat);
    if (!numbers.defined()) return packed;
    const at::Tensor plain = numbers.to(at::kFloat).contiguous();
    const auto* const from = plain.const_data_ptr<float>();
    std::ranges::transform(rows, packed.mutable_data_ptr<float>(), [&](std::int64_t row) { return row < 0 ? 0.0F : from[row]; });
    return packed;
}

}  // namespace lcm::nn::blocked
