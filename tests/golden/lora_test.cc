#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/number.h"
#include "lib/core/adapter/adapted_weights.h"
#include "lib/core/adapter/lora_adapter.h"
#include "lib/core/weights/key_map.h"
#include "lib/input/text/tokenizer.h"
#include "tests/golden/golden_model.h"

using namespace lcm;

namespace {

constexpr double delta_tolerance = 1e-6;    // relative to the largest number of a change
constexpr double runtime_tolerance = 1e-5;  // what a run-time adapter may differ from a merged one, of the largest number

Json config_of(const std::string& part) { return read_json_file(golden::folder() + "/" + part + "/config.json"); }

/// A model of the golden data that adapters are opened for.
struct Model {
    explicit Model(const std::string& path) : folder(path), is_xl(path.ends_with("sdxl")), target(parameters(path, is_xl)) {}

    static ModelParameters parameters(const std::string& path, bool is_xl) {
        ModelParameters parameters{{Network::unet, unet_parameters(UNetConfig::from_json(config_of(path + "/unet")))},
                                   {Network::text_encoder, text_parameters(CLIPTextConfig::from_json(config_of(path + "/text_encoder")))}};
        if (is_xl)
            parameters.emplace(Network::text_encoder_2, text_parameters(CLIPTextConfig::from_json(config_of(path + "/text_encoder_2"))));
        return parameters;
    }

    std::string folder;
    bool is_xl;
    AdapterTarget target;
};

const Model& model_of(const golden::Case& one) {
    static std::map<std::string, Model> opened;
    const std::string& folder = one.args().at("model").as_string();
    return opened.try_emplace(folder, folder).first->second;
}

/// A result's name: "delta_peft/down_blocks.0.resnets.0.conv1@0.7".
struct Wanted {
    std::string what, rule, module, label;

    explicit Wanted(const std::string& name) {
        const std::size_t at = name.rfind('@'), slash = name.find('/');
        label = at == name.npos ? "0" : name.substr(at + 1);
        if (slash != name.npos) module = name.substr(slash + 1, at - slash - 1);
        what = name.substr(0, std::min(at, slash));
        const std::size_t underscore = what.find('_');
        const std::string last = underscore == what.npos ? "" : what.substr(underscore + 1);
        if (last != "linear" && last != "lycoris" && last != "peft") return;
        rule = last;
        what.resize(underscore);
    }
};

/// The adapters of a case at the weights that a label stands for.
AdapterSet adapters_of(const golden::Case& one, const Wanted& wanted) {
    const Model& model = model_of(one);
    std::vector<std::pair<std::string, double>> files;
    if (const Json* stack = one.args().find("files")) {
        const auto& weights = one.args().at("weights").at(wanted.label).as_array();
        for (std::size_t i = 0; i < weights.size(); ++i) files.emplace_back(stack->as_array()[i].as_string(), weights[i].as_number());
    } else {
        files.emplace_back(one.args().at("file").as_string(), parse_number(wanted.label).value());
    }
    AdapterSet set;
    for (auto& [file, weight] : files) {
        if (file.ends_with('/')) file.pop_back();
        const LoraAdapter::Strength strength{weight, {}, wanted.rule.empty() ? DoraRule::automatic : dora_rule(wanted.rule)};
        set.adapters.push_back(
            std::make_shared<LoraAdapter>(open_adapter_file(golden::folder() + "/" + file, model.target.names), strength, model.target));
    }
    return set;
}

/// The change of one module's weight or bias, relative to the model's file.
at::Tensor delta_of(const golden::Case& one, const Wanted& wanted) {
    constexpr std::string_view text_prefix = "text_model.";
    const bool text = wanted.module.starts_with(text_prefix);
    const Model& model = model_of(one);
    const WeightFile file(golden::folder() + "/" + model.folder +
                          (text ? "/text_encoder/model.safetensors" : "/unet/diffusion_pytorch_model.safetensors"));
    const std::string parameter = wanted.module + (wanted.what == "delta_bias" ? ".bias" : ".weight");
    const at::Tensor weight = file.view(parameter);
    at::Tensor sum;
    for (const auto& adapter : adapters_of(one, wanted).adapters) {
        const at::Tensor delta = adapter->weight_delta(text ? Network::text_encoder : Network::unet,
                                                       text ? parameter.substr(text_prefix.size()) : parameter, weight);
        if (delta.defined()) sum = sum.defined() ? sum + delta : delta;
    }
    return sum.to(at::kFloat);
}

CLIPTextOutputs encode(const golden::Case& one, const AdapterSet& adapters, Network network) {
    const Model& model = model_of(one);
    const std::string number = network == Network::text_encoder_2 ? "_2" : "";
    const auto encoder =
        golden::build(model.folder + "/text_encoder" + number, text_encoder_key, [&](const Json& config, WeightSet& weights) {
            AdaptedWeights adapted(weights, adapters, network);
            return CLIPTextModel(CLIPTextConfig::from_json(config), adapted);
        });
    const auto ids = Tokenizer::open(golden::folder() + "/" + model.folder + "/tokenizer" + number)
                         .encode_padded(one.args().at("prompt").as_string(), nullptr);
    return encoder.forward(at::tensor(std::vector<std::int64_t>(ids.begin(), ids.end())).unsqueeze(0));
}

/// The text condition: context, and for SDXL pooled.
AdapterConditions text_of(const golden::Case& one, const AdapterSet& adapters) {
    CLIPTextOutputs first = encode(one, adapters, Network::text_encoder);
    if (!model_of(one).is_xl) return {first.last_hidden_state, {}};
    CLIPTextOutputs second = encode(one, adapters, Network::text_encoder_2);
    const auto last_but_one = [](CLIPTextOutputs& out) { return out.hidden_states[out.hidden_states.size() - 2]; };
    return {at::cat({last_but_one(first), last_but_one(second)}, -1), second.text_embeds};
}

bool changes_text(const AdapterSet& adapters) {
    return adapters.changes(Network::text_encoder) || adapters.changes(Network::text_encoder_2);
}

at::Tensor noise_of(const golden::Case& one, const AdapterSet& adapters) {
    const UNet unet = golden::build(model_of(one).folder + "/unet", {}, [&](const Json& config, WeightSet& weights) {
        AdaptedWeights adapted(weights, adapters, Network::unet);
        return UNet(UNetConfig::from_json(config), adapted);
    });
    UNetInputs inputs;
    inputs.sample = one.input("sample");
    inputs.timestep = one.input("t");
    inputs.context = one.input("context");
    if (one.has_input("time_ids")) {
        inputs.text_pooled = one.input("text_embeds");
        inputs.time_ids = one.input("time_ids");
    }
    if (changes_text(adapters)) {
        const AdapterConditions text = text_of(one, adapters);
        inputs.context = text.context;
        if (text.pooled.defined()) inputs.text_pooled = text.pooled;
    }
    return unet.forward(inputs);
}

/// The noise with adapters merged, which those applied at run time must give too.
at::Tensor noise_both_ways(const golden::Case& one, AdapterSet adapters) {
    const at::Tensor merged = noise_of(one, adapters);
    adapters.mode = AdapterMode::runtime;
    const golden::Difference found = golden::compare(noise_of(one, adapters), merged, {.atol = 1});
    CHECK_MESSAGE(found.largest_rel < runtime_tolerance, one.id() << ": applied at run time it differs by " << found.largest_rel);
    return merged;
}

}  // namespace

TEST_CASE("adapters of the LoRA family") {
    double worst = 0;
    golden::check_group("lora", [&](const golden::Case& one) {
        golden::Results results;
        for (const auto& [name, tolerance] : one.outputs()) {
            const Wanted wanted(name);
            if (wanted.what == "noise_base")
                results[name] = noise_of(one, {});
            else if (wanted.what == "noise")
                results[name] = noise_both_ways(one, adapters_of(one, wanted));
            else if (wanted.what == "context")
                results[name] = text_of(one, adapters_of(one, wanted)).context;
            else if (wanted.what == "pooled")
                results[name] = text_of(one, adapters_of(one, wanted)).pooled;
            else {
                results[name] = delta_of(one, wanted);
                const double relative = golden::compare(results[name], one.expected(name), {.atol = 1}).largest_rel;
                CHECK_MESSAGE(relative < delta_tolerance, one.id() << " " << name << ": relative error " << relative);
                worst = std::max(worst, relative);
            }
        }
        return results;
    });
    MESSAGE("changes of weights: largest relative error " << worst);
}
