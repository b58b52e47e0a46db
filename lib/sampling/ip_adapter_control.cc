#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include <utility>

#include "lib/core/tensor/convert.h"
#include "lib/sampling/control_kind.h"
#include "lib/sampling/control_networks.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

/// Keys and values of the features of a record; those of no picture for the unconditional half.
std::vector<KeyValue> image_prompt_of(const IPAdapter& network, double scale, const SteeredPicture& picture) {
    const TensorBytes& bytes = picture.record.tensor(tensor::image_features, "add them with lcm-encode image --image-encoder");
    const std::string what = fmt::format("{}: {}", picture.record.place, tensor::image_features);
    const at::Tensor embeds = to_torch(bytes).to(at::kFloat);
    expect_shape(embeds, {-1, network.shape().image_width}, what);
    expect_finite(embeds, what);
    const auto tokens = [&](const at::Tensor& one) {  // the tokens of several pictures stand in a row
        const at::Tensor all = network.tokens(one);
        return all.reshape({1, -1, all.size(2)});
    };
    const at::Tensor seen = tokens(embeds);
    return network.keys_values(picture.classifier_free ? at::cat({tokens(at::zeros_like(embeds)), seen}) : seen, scale);
}

class BoundIPAdapter : public BoundControl {
public:
    explicit BoundIPAdapter(std::vector<KeyValue> image_prompt) : image_prompt_(std::move(image_prompt)) {}
    void add_to(UNetInputs& inputs) const override { inputs.image_prompt = image_prompt_; }

private:
    std::vector<KeyValue> image_prompt_;
};

class IPAdapterControl : public ControlNetwork {
public:
    explicit IPAdapterControl(std::shared_ptr<const IPAdapter> network) : network_(std::move(network)) {}

    std::unique_ptr<BoundControl> bind(const ControlEntry& use, const SteeredPicture& picture) const override {
        return std::make_unique<BoundIPAdapter>(image_prompt_of(*network_, use.scale, picture));
    }

private:
    std::shared_ptr<const IPAdapter> network_;
};

}  // namespace

extern const ControlKind ip_adapter_kind{
    .name = "ip-adapter",
    .title = "IP-Adapter",
    .help = "Follow the record's image features with an IP-Adapter, its scale (1)",
    .value = "FILE[:SCALE]",
    .follows_map = false,
    .may_guess = false,
    .open = [](const std::string& path, const SteeredUNet& unet) -> std::shared_ptr<const ControlNetwork> {
        return std::make_shared<IPAdapterControl>(open_ip_adapter(path, unet));
    }};

}  // namespace lcm
