#include "lib/core/nn/packed.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <doctest/doctest.h>

#include <tuple>

#include "lib/core/nn/layers.h"
#include "lib/core/tensor/instruction_set.h"
#include "lib/core/tensor/threads.h"
#include "tests/unit/random_weights.h"

using namespace lcm::nn;

namespace {

/// The same parameters, to be packed.
class PackedWeights : public WeightSource {
public:
    explicit PackedWeights(RandomWeights& weights) : weights_(weights) {}
    at::Tensor take(const std::string& name, at::IntArrayRef shape) override { return weights_.take(name, shape); }
    bool has(const std::string& name) const override { return weights_.has(name); }
    std::optional<at::ScalarType> packs() const override { return weights_.type(); }

private:
    RandomWeights& weights_;
};

constexpr Activation activations[] = {Activation::none,       Activation::silu, Activation::gelu,
                                      Activation::quick_gelu, Activation::relu, Activation::tanh};

/// Sums of some hundred products in another order: 1e-4 in f32; bf16 keeps 8 binary digits of each step.
bool near(const at::Tensor& a, const at::Tensor& b) {
    const double tolerance = a.scalar_type() == at::kBFloat16 ? 0.06 : 1e-4;
    return a.sizes() == b.sizes() && at::allclose(a.to(at::kFloat), b.to(at::kFloat), tolerance, tolerance);
}

/// Every epilogue for a result of `shape` with its channels at `dimension`.
std::vector<Epilogue> epilogues(at::IntArrayRef shape, std::int64_t channels, at::ScalarType type) {
    std::vector<Epilogue> all;
    for (const Activation activation : activations)
        for (const bool channel : {false, true})
            for (const bool residual : {false, true}) {
                Epilogue epilogue;
                epilogue.activation = activation;
                if (channel) epilogue.channel = at::randn({shape[0], channels}, type);
                if (residual) epilogue.residual = shape.size() == 4 ? channels_last(at::randn(shape, type)) : at::randn(shape, type);
                all.push_back(epilogue);
            }
    return all;
}

/// Both layers give the same for every epilogue, and by our own kernels (not by libtorch's of bf16) the same bytes with any number of
/// threads.
template <typename Layer>
void check_layers(const Layer& plain, const Layer& packed, const at::Tensor& x, std::int64_t channels) {
    const at::NoGradGuard no_grad;
    const at::Tensor shape = plain(x);
    for (const Epilogue& epilogue : epilogues(shape.sizes(), channels, x.scalar_type())) {
        CAPTURE(static_cast<int>(epilogue.activation));
        CAPTURE(epilogue.channel.defined());
        CAPTURE(epilogue.residual.defined());
        const at::Tensor residual = epilogue.residual.defined() ? epilogue.residual.clone() : at::Tensor();
        const at::Tensor found = packed(x, epilogue);
        CHECK(near(plain(x, epilogue), found));
        if (residual.defined()) CHECK(at::equal(residual, epilogue.residual));
        if (!multiplies(x.scalar_type())) continue;
        for (const int threads : {1, 2, 3}) {
            lcm::set_threads(threads);
            CHECK(at::equal(packed(x, epilogue), found));
        }
    }
}

}  // namespace

TEST_CASE("packed products are the plain ones, with every epilogue") {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
        CAPTURE(at::toString(type));
        RandomWeights weights(type);
        PackedWeights packing(weights);
        REQUIRE(packs(Scope(packing)) == (type == at::kFloat || lcm::instruction_set() >= lcm::InstructionSet::avx512_bf16));
        const Scope plain(weights), packed(packing);
        for (const std::int64_t batch : {1, 2}) {
            check_layers(Linear(plain / "a", 64, 48), Linear(packed / "a", 64, 48), at::randn({batch, 77, 64}, type), 48);
            check_layers(Linear(plain / "b", 64, 48, false), Linear(packed / "b", 64, 48, false), at::randn({batch, 1, 64}, type), 48);
            const at::Tensor picture = channels_last(at::randn({batch, 12, 9, 10}, type));
            const ConvShape wide{.in = 12, .out = 20}, half{.in = 12, .out = 20, .stride = 2},
                point{.in = 12, .out = 20, .kernel = 1, .padding = 0, .bias = false};
            check_layers(Conv2d(plain / "c", wide), Conv2d(packed / "c", wide), picture, 20);
            check_layers(Conv2d(plain / "d", half), Conv2d(packed / "d", half), picture, 20);
            check_layers(Conv2d(plain / "e", point), Conv2d(packed / "e", point), picture, 20);
            const ConvShape windows{.in = 40, .out = 36};  // enough inputs for products of windows; an odd height
            const at::Tensor many = channels_last(at::randn({batch, 40, 9, 10}, type) * 0.2);
            check_layers(Conv2d(plain / "w", windows), Conv2d(packed / "w", windows), many, 36);
            const ConvShape patches{.in = 3, .out = 20, .kernel = 14, .stride = 14, .padding = 0};
            check_layers(Conv2d(plain / "f", patches), Conv2d(packed / "f", patches),
                         channels_last(at::randn({batch, 3, 28, 42}, type)), 20);
        }
    }
}

TEST_CASE("a residual that nobody reads again is the same sum, in its own memory where it fits") {
    const at::NoGradGuard no_grad;
    for (const auto type : {at::kFloat, at::kBFloat16}) {
        CAPTURE(at::toString(type));
        RandomWeights weights(type);
        PackedWeights packing(weights);
        const bool ours = type == at::kFloat || lcm::instruction_set() >= lcm::InstructionSet::avx512_bf16;
        for (const std::int64_t height : {8, 9})           // an odd one has no whole windows
            for (const std::int64_t in : {12, 40}) {       // without windows and with them
                const Conv2d conv(Scope(packing) / std::to_string(in), {.in = in, .out = 36});
                const at::Tensor x = channels_last(at::randn({2, in, height, 10}, type));
                Epilogue kept, free;
                kept.residual = channels_last(at::randn({2, 36, height, 10}, type));
                free.residual = kept.residual.clone();
                free.residual_is_free = true;
                const at::Tensor result = conv(x, free);
                CHECK(at::equal(result, conv(x, kept)));
                if (ours && height == 8) CHECK(result.const_data_ptr() == free.residual.const_data_ptr());
            }
        const Linear linear(Scope(packing) / "tokens", 64, 36);
        const at::Tensor tokens = at::randn({2, 77, 64}, type), residual = at::randn({2, 77, 36}, type), held = residual.clone();
        at::Tensor given = residual.clone();
        const void* const memory = given.const_data_ptr();
        const at::Tensor sum = linear(tokens, adding(std::move(given)));
        CHECK(at::equal(sum, linear(tokens, adding(held))));
        CHECK(at::equal(held, residual));
        if (ours) CHECK(sum.const_data_ptr() == memory);
        CHECK(at::equal(linear(tokens, adding({})), linear(tokens)));
    }
}

TEST_CASE("a large picture given away becomes one of fewer channels in its own memory") {
    const at::NoGradGuard no_grad;
    struct Case {
        std::int64_t out, height;  // which bands do not divide
        bool fits;
    };
    for (const auto type : {at::kFloat, at::kBFloat16}) {
        CAPTURE(at::toString(type));
        RandomWeights weights(type);
        PackedWeights packing(weights);
        if (!multiplies(type)) continue;  // libtorch's products have memory of their own
        for (const auto& [out, height, fits] : {Case{24, 1031, true}, Case{48, 1031, false}, Case{24, 5, false}}) {
            const Conv2d conv(Scope(packing) / std::to_string(out), {.in = 40, .out = out, .kernel = 1, .padding = 0});
            const at::Tensor x = at::randn({1, height, 421, 40}, type).permute({0, 3, 1, 2}), expected = conv(x);
            CHECK(at::equal(conv.replacing(x), expected));
            at::Tensor given = x.clone();
            const void* const memory = given.const_data_ptr();
            const at::Tensor result = conv.replacing(std::move(given));
            CHECK(at::equal(result, expected));
            CHECK((result.const_data_ptr() == memory) == fits);
            CHECK(at::equal(conv(x), expected));  // which was held, and so is what it was
        }
    }
}

TEST_CASE("small pictures of a batch, which share groups of windows, are those that each is alone") {
    const at::NoGradGuard no_grad;
    for (const auto type : {at::kFloat, at::kBFloat16}) {
        CAPTURE(at::toString(type));
        RandomWeights weights(type);
        PackedWeights packing(weights);
        const Conv2d conv(Scope(packing), {.in = 40, .out = 36});
        for (const std::int64_t side : {2, 4, 5, 9}) {
            const at::Tensor x = channels_last(at::randn({3, 40, side, side}, type));
            const at::Tensor channel = at::randn({3, 36}, type), same = channel.narrow(0, 0, 1).expand({3, 36});
            const at::Tensor residual = channels_last(at::randn({3, 36, side, side}, type));
            for (const at::Tensor& channels : {at::Tensor(), channel, same}) {
                const at::Tensor all = conv(x, {.activation = Activation::silu, .channel = channels, .residual = residual});
                for (std::int64_t i = 0; i < 3; ++i) {
                    const auto own = [&](const at::Tensor& tensor) { return tensor.defined() ? tensor.narrow(0, i, 1) : tensor; };
                    const Epilogue alone{.activation = Activation::silu, .channel = own(channels), .residual = own(residual)};
                    const at::Tensor one = conv(own(x), alone);
                    CHECK((multiplies(type) ? at::equal(own(all), one) : near(own(all), one)));
                }
            }
        }
    }
}

TEST_CASE("a packed layer takes pictures of another size than its first") {
    RandomWeights weights;
    PackedWeights packing(weights);
    const Conv2d plain(Scope(weights) / "c", {.in = 8, .out = 16}), packed(Scope(packing) / "c", {.in = 8, .out = 16});
    const at::NoGradGuard no_grad;
    for (const std::int64_t side : {16, 8, 33}) {
        const at::Tensor x = channels_last(at::randn({1, 8, side, side + 1}));
        CHECK(near(plain(x), packed(x)));
    }
}

TEST_CASE("long sums and many pixels, taken in parts, are the plain products") {
    // 3200 inputs and 352 in windows of 9 are more than the second cache holds of weights at a time; 120 rows are more than one band; a row
    // of 270 pixels with 128 channels has more windows than a tile.
    const at::NoGradGuard no_grad;
    RandomWeights weights(at::kBFloat16);
    PackedWeights packing(weights);
    const Scope plain(weights), packed(packing);
    check_layers(Linear(plain / "a", 3200, 64), Linear(packed / "a", 3200, 64), at::randn({1, 40, 3200}, at::kBFloat16), 64);
    for (const auto& [name, shape, height, width] : {std::tuple("b", ConvShape{.in = 352, .out = 200}, 5, 6),
                                                     std::tuple("c", ConvShape{.in = 64, .out = 40}, 120, 130),
                                                     std::tuple("d", ConvShape{.in = 128, .out = 40}, 21, 270)}) {
        const at::Tensor x = channels_last(at::randn({1, shape.in, height, width}, at::kBFloat16));
        const Conv2d conv(plain / name, shape), same(packed / name, shape);
        const GroupNorm norm(plain / (std::string(name) + "n"), 8, shape.in, 1e-5);
        const at::Tensor found = norm_silu_conv(norm, same, x);
        CHECK(near(found, conv(norm.norm_silu(x))));
        for (const int threads : {1, 2, 3, 5}) {
            lcm::set_threads(threads);
            CHECK(at::equal(norm_silu_conv(norm, same, x), found));
        }
    }
}

TEST_CASE("a convolution in bf16 rounds no more than its input, weights and result, and windows of them twice as much") {
    // Rounding to 8 digits is 1.6e-3 relative RMS. Windows sum up four numbers, so that theirs and their weights' counts 2.8 times each, in
    // squares (`tile_rows.h`); and once for the result: 1.6e-3 * sqrt(6.6).
    constexpr double rounded = 1.65e-3, most = 2.6 * rounded;
    const at::NoGradGuard no_grad;
    RandomWeights weights(at::kBFloat16);
    PackedWeights packing(weights);
    const std::int64_t channels = 320;
    const Conv2d conv(Scope(packing) / "c", {.in = channels, .out = 64, .bias = false});
    const at::Tensor x = channels_last(at::randn({1, channels, 32, 32}, at::kBFloat16));
    const at::Tensor weight = weights.take("c.weight", {64, channels, 3, 3});
    const at::Tensor exact = at::conv2d(x.to(at::kDouble), weight.to(at::kDouble), {}, 1, 1);
    const double error = (conv(x).to(at::kDouble) - exact).square().mean().sqrt().item<double>();
    CHECK(error < most * exact.square().mean().sqrt().item<double>());
    CHECK(error > 0);
}

TEST_CASE("a packed GEGLU is the plain one") {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
        RandomWeights weights(type);
        PackedWeights packing(weights);
        const at::NoGradGuard no_grad;
        const at::Tensor x = at::randn({2, 31, 40}, type);
        CHECK(near(Geglu(Scope(weights) / "g", 40, 160)(x), Geglu(Scope(packing) / "g", 40, 160)(x)));
    }
}

TEST_CASE("upsampling folded into its convolution is upsampling and a convolution, for doubled and for other sizes") {
    const at::NoGradGuard no_grad;
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        RandomWeights weights(type);
        PackedWeights packing(weights);
        for (const auto& [name, in, out] : {std::tuple("few", 5, 7), std::tuple("many", 40, 36)}) {  // many: products of windows
            const UpsampleConv plain(Scope(weights) / name, in, out), packed(Scope(packing) / name, in, out);
            const Conv2d conv(Scope(weights) / name, {.in = in, .out = out});
            const at::Tensor x = channels_last(at::randn({2, in, 3, 5}, type) * 0.2);
            for (const std::int64_t height : {6, 5}) {
                const at::Tensor expected = conv(upsample_nearest(x, height, 10));
                CHECK(near(plain(x, height, 10), expected));
                CHECK(near(packed(x, height, 10), expected));
            }
        }
    }
}

TEST_CASE("large pictures in bands of rows are what they are as a whole") {
    const at::NoGradGuard no_grad;
    RandomWeights weights;
    PackedWeights packing(weights);
    const std::int64_t channels = 32, height = 700, width = 600;  // 54 MB: three bands, the last of them smaller
    const GroupNorm norm(Scope(weights) / "n", 4, channels, 1e-5);
    const Conv2d conv(Scope(packing) / "c", {.in = channels, .out = 8});
    const at::Tensor x = channels_last(at::randn({1, channels, height, width}));
    Epilogue epilogue;
    epilogue.channel = at::randn({1, 8});
    epilogue.residual = channels_last(at::randn({1, 8, height, width}));
    CHECK(near(norm_silu_conv(norm, conv, x, epilogue), conv(norm.norm_silu(x), epilogue)));
    const UpsampleConv plain(Scope(weights) / "u", channels, 8), packed(Scope(packing) / "u", channels, 8);
    const at::Tensor small = x.narrow(2, 0, 501);  // 4 * 8 channels of windows: 39 MB, two bands
    CHECK(near(packed(small, 1002, 2 * width), plain(small, 1002, 2 * width)));
}

TEST_CASE("bands that each thread makes for itself are the same bytes with any number of threads") {
    const at::NoGradGuard no_grad;
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        RandomWeights weights(type);
        PackedWeights packing(weights);
        const std::int64_t in = 24, out = 40;  // too few for windows
        const at::Tensor x = channels_last(at::randn({2, in, 67, 400}, type));  // up to 4 MB a picture: bands of unlike sizes
        const auto check = [&](const auto& plain, const auto& packed) {
            lcm::set_threads(1);
            const at::Tensor alone = packed(x);
            CHECK(near(plain(x), alone));
            for (const int threads : {2, 3, 5}) {
                lcm::set_threads(threads);
                CHECK(at::equal(packed(x), alone));
            }
        };
        for (const std::int64_t stride : {1, 2}) {
            const ConvShape shape{.in = in, .out = out, .stride = stride};
            check(Conv2d(Scope(weights) / "c", shape), Conv2d(Scope(packing) / "c", shape));
        }
        const UpsampleConv plain(Scope(weights) / "u", in, out), packed(Scope(packing) / "u", in, out);
        const auto doubled = [](const UpsampleConv& conv) {
            return [&](const at::Tensor& small) { return conv(small, 2 * small.size(2), 2 * small.size(3)); };
        };
        check(doubled(plain), doubled(packed));
    }
}
