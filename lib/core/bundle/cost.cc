#include "lib/core/bundle/cost.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "lib/base/number.h"

namespace lcm {
namespace {

constexpr double text_tokens = 77;
constexpr double live_copies = 4;  // input, output, residual and the workspace of a convolution

/// The number after `prefix` in a weight's name ("down_blocks.2.resnets..."), or nothing.
std::optional<int> block_number(std::string_view name, std::string_view prefix) {
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    const auto number = parse_u64(name.substr(0, name.find('.')));
    return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

/// Positions that a weight is applied to, as a power of two of the latent's side.
class Places {
public:
    Places(Part part, int levels) : part_(part), levels_(levels) {}

    /// log2 of the side relative to the latent's; nothing for weights used once a picture (time embeddings), or not at all.
    std::optional<int> scale(std::string_view name) const { return part_ == Part::unet ? unet(name) : vae(name); }

private:
    std::optional<int> unet(std::string_view name) const {
        if (name.starts_with("conv_in") || name.starts_with("conv_out")) return 0;
        if (name.starts_with("mid_block")) return 1 - levels_;
        if (const auto block = block_number(name, "down_blocks.")) return -*block - (name.find("downsamplers") != name.npos ? 1 : 0);
        if (const auto block = block_number(name, "up_blocks."))
            return *block - levels_ + 1 + (name.find("upsamplers") != name.npos ? 1 : 0);
        return std::nullopt;
    }
    std::optional<int> vae(std::string_view name) const {
        if (name.starts_with("post_quant_conv")) return 0;
        if (!name.starts_with("decoder.")) return std::nullopt;
        name.remove_prefix(std::string_view("decoder.").size());
        if (const auto block = block_number(name, "up_blocks."))
            return std::min(*block + (name.find("upsamplers") != name.npos ? 1 : 0), levels_ - 1);
        return name.starts_with("conv_in") || name.starts_with("mid_block") ? 0 : levels_ - 1;
    }

    Part part_;
    int levels_;
};

/// Attention multiplies tokens with tokens; its projections tell how wide it is.
bool is_self_attention_query(std::string_view name) {
    return name.ends_with("attn1.to_q.weight") || name.ends_with("attentions.0.to_q.weight");
}
bool reads_context(std::string_view name) { return name.ends_with("attn2.to_k.weight") || name.ends_with("attn2.to_v.weight"); }

struct Sum {
    Cost cost;
    double latent_positions;

    void add(const Places& places, std::string_view name, const std::vector<std::int64_t>& shape, double parameters) {
        if (name.find("token_embedding") != name.npos) return;  // looked up, not multiplied
        cost.weight_bytes += static_cast<std::uint64_t>(parameters * sizeof(float));
        const auto scale = places.scale(name);
        if (!scale) {
            cost.operations += 2 * parameters;
            return;
        }
        if (shape.size() < 2) return;
        const double positions = latent_positions * std::pow(4.0, *scale), width = static_cast<double>(shape[0]);
        cost.operations += 2 * parameters * (reads_context(name) ? text_tokens : positions);
        if (is_self_attention_query(name)) cost.operations += 4 * positions * positions * width;
        const double live = live_copies * positions * width * sizeof(float);
        cost.working_bytes = std::max(cost.working_bytes, static_cast<std::uint64_t>(live));
    }
};

int levels_of(const Bundle& bundle, Part part) {
    const auto* widths = bundle.config(part).find("block_out_channels");
    return widths != nullptr && widths->is_array() ? static_cast<int>(widths->as_array().size()) : 4;
}

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
    operations += other.operations;
    weight_bytes += other.weight_bytes;
    working_bytes = std::max(working_bytes, other.working_bytes);
    return *this;
}

Cost cost_of(const Bundle& bundle, Part part, std::int64_t height, std::int64_t width) {
    const bool text = part == Part::text_encoder || part == Part::text_encoder_2;
    const Places places(part, text ? 1 : levels_of(bundle, part));
    Sum sum{{}, static_cast<double>(height) * static_cast<double>(width)};
    for (const auto& [name, file, entry] : bundle.tensors(part)) {
        if (name.empty()) continue;
        double parameters = 1;
        for (const auto side : entry.shape) parameters *= static_cast<double>(side);
        sum.add(places, name, entry.shape, parameters);
        if (text && name.find("token_embedding") == name.npos) sum.cost.operations += 2 * parameters * (text_tokens - 1);
    }
    return sum.cost;
}

double OperationTable::operator()(std::int64_t height, std::int64_t width) {
    const auto [place, is_new] = known_.try_emplace({height, width}, 0);
    if (is_new)
        for (const Part part : parts_)
            if (bundle_.has(part)) place->second += cost_of(bundle_, part, height, width).operations;
    return place->second;
}

}  // namespace lcm
