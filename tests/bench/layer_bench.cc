// `layer-bench PRECISION [THREADS]`: layers of SD 1.5 at 512x512 one by one, by each way that this CPU has: milliseconds of a call and
// GFLOP/s, a line of JSON each. Operations are counted as the plain formula has them. PRECISION is f32 or bf16. By way
// of int8, a layer that the tool leaves as it is (`quantize_rule.h`) is packed.

#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <string_view>

#include "lib/base/number.h"
#include "lib/core/nn/layers.h"
#include "lib/core/tensor/threads.h"
#include "tests/bench/measure.h"
#include "tests/bench/random_weights.h"

namespace {

using namespace lcm;

constexpr double giga = 1e9;
constexpr std::array ways{"plain", "packed", "int8"};

/// One layer, and what it multiplies.
struct Work {
    std::string layer;
    double products = 0;  ///< each two operations
};

void report(const Work& work, std::string_view way, const std::function<void()>& call) {
    const double seconds = bench::median_seconds(call);
    fmt::print("{{\"benchmark\":\"layer\",\"layer\":\"{}\",\"way\":\"{}\",\"ms\":{:.3f},\"gflops\":{:.0f}}}\n", work.layer, way,
               seconds * 1e3, 2 * work.products / seconds / giga);
}

struct ConvCase {
    std::int64_t in, out, side, kernel;
};

void measure(const ConvCase& one, at::ScalarType type) {
    const auto pixels = static_cast<double>(one.side * one.side);
    const Work work{fmt::format("conv {0}x{0} {1}->{2} @{3}", one.kernel, one.in, one.out, one.side),
                    pixels * static_cast<double>(one.in * one.out * one.kernel * one.kernel)};
    const at::Tensor x = at::randn({1, one.in, one.side, one.side}, type).contiguous(at::MemoryFormat::ChannelsLast);
    for (const char* way : ways) {
        bench::RandomWeights weights(type, way);
        const nn::Conv2d conv(nn::Scope(weights, "conv"), {one.in, one.out, one.kernel, 1, one.kernel / 2});
        report(work, way, [&] { conv(x); });
    }
}

struct LinearCase {
    std::int64_t tokens, in, out;
    bool gated = false;
};

void measure(const LinearCase& one, at::ScalarType type) {
    const Work work{fmt::format("{} {}x{}->{}", one.gated ? "geglu" : "linear", one.tokens, one.in, one.out),
                    static_cast<double>(one.tokens * one.in * one.out)};
    const at::Tensor x = at::randn({1, one.tokens, one.in}, type);
    for (const char* way : ways) {
        bench::RandomWeights weights(type, way);
        const nn::Scope scope(weights, "linear");
        if (one.gated) {
            const nn::Geglu geglu(scope, one.in, one.out / 2);
            report(work, way, [&] { geglu(x); });
        } else {
            const nn::Linear linear(scope, one.in, one.out);
            report(work, way, [&] { linear(x); });
        }
    }
}

struct AttentionCase {
    std::int64_t width, queries, keys;
};

void measure(const AttentionCase& one, at::ScalarType type) {
    constexpr std::int64_t heads = 8;
    const Work work{fmt::format("attention head {}, {} to {} tokens", one.width, one.queries, one.keys),
                    2 * static_cast<double>(heads * one.width * one.queries * one.keys)};
    const auto tokens = [&](std::int64_t count) { return at::randn({1, count, heads * one.width}, type); };
    const auto split = [&](const at::Tensor& x) { return x.view({1, x.size(1), heads, one.width}).transpose(1, 2); };
    const at::Tensor q = tokens(one.queries), k = tokens(one.keys), v = tokens(one.keys);
    report(work, "ours", [&] { nn::attention(q, k, v, heads); });
    report(work, "libtorch, streaming", [&] { at::scaled_dot_product_attention(split(q), split(k), split(v)); });
    report(work, "libtorch, step by step", [&] {
        const at::Tensor scores = at::matmul(split(q) * (1 / std::sqrt(static_cast<double>(one.width))), split(k).transpose(2, 3));
        at::matmul(scores.softmax(-1), split(v));
    });
}

void measure_all(at::ScalarType type) {
    const c10::InferenceMode no_gradients;
    for (const ConvCase& one : {ConvCase{320, 320, 64, 3}, {640, 320, 64, 3}, {640, 640, 32, 3}, {1280, 640, 32, 3}, {1280, 1280, 16, 3},
                                {1280, 1280, 8, 3}, {640, 320, 64, 1}, {128, 128, 512, 3}})
        measure(one, type);
    for (const LinearCase& one : {LinearCase{4096, 320, 320}, {4096, 320, 2560, true}, {4096, 1280, 320}, {1024, 640, 640},
                                  {1024, 640, 5120, true}, {1024, 2560, 640}, {256, 1280, 1280}, {256, 1280, 10240, true},
                                  {256, 5120, 1280}, {77, 768, 320}})
        measure(one, type);
    for (const AttentionCase& one : {AttentionCase{40, 4096, 4096}, {40, 4096, 77}, {80, 1024, 1024}, {160, 256, 256}, {64, 4096, 4096}})
        measure(one, type);
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view precision = count > 1 ? arguments[1] : "";
    const auto threads = count > 2 ? parse_u64(arguments[2]) : 0;  // 0: all cores
    if ((precision != "f32" && precision != "bf16") || !threads || *threads > 1024) {
        fmt::print(stderr, "usage: {} f32|bf16 [THREADS]\n", arguments[0]);
        return 64;
    }
    set_threads(static_cast<int>(*threads));
    measure_all(precision == "bf16" ? at::kBFloat16 : at::kFloat);
    return 0;
}
