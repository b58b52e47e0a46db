#include "lib/input/text/text_encoder.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "lib/base/cache_counts.h"
#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/tensor/device.h"
#include "lib/stream/keys.h"

namespace lcm {

namespace {

constexpr std::size_t recent_limit = 8;

void check_prompt(const std::string& prompt, const std::string& where) {
    if (prompt.size() > prompt_limit)
        throw Error(ExitCode::data, where, fmt::format("it is {} bytes long, more than {}", prompt.size(), prompt_limit));
    if (prompt.find('\0') != std::string::npos)
        throw Error(ExitCode::data, where, fmt::format("it holds a NUL at byte {}", prompt.find('\0')));
    if (!is_utf8(prompt)) throw Error(ExitCode::data, where, "it is not valid UTF-8", "convert it with iconv -t UTF-8");
}

TensorBytes ids_tensor(const std::vector<std::int32_t>& ids) {
    Bytes bytes(ids.size() * sizeof(std::int32_t));
    std::memcpy(bytes.data(), ids.data(), bytes.size());
    return make_tensor(Dtype::I32, {static_cast<std::int64_t>(ids.size())}, std::move(bytes));
}

/// The chunks of all text encoders: one below the other in time, the encoders side by side. An encoder with fewer chunks than another,
/// whose tokens differ, says its last one again.
at::Tensor joined(std::vector<TowerOutput>& towers) {
    std::size_t most = 0;
    for (const TowerOutput& tower : towers) most = std::max(most, tower.chunks.size());
    std::vector<at::Tensor> side_by_side;
    for (TowerOutput& tower : towers) {
        tower.chunks.resize(most, tower.chunks.back());
        side_by_side.push_back(at::cat(tower.chunks));
    }
    return side_by_side.size() == 1 ? side_by_side.front() : at::cat(side_by_side, 1);
}

/// `tokens` over and over until there are `count`: attention over repeated tokens is that over the tokens alone.
at::Tensor repeated(const at::Tensor& tokens, std::int64_t count) { return tokens.repeat({count / tokens.size(0), 1}); }

}  // namespace

TextEncoder::TextEncoder(const Bundle& bundle, TextSettings settings)
    : name_(bundle.name()),
      device_(bundle.device()),
      check_(bundle),
      settings_(std::move(settings)),
      wants_negative_(!UNetConfig::from_json(bundle.config(Part::unet)).time_cond_proj_dim) {
    const bool two = bundle.has(Part::text_encoder_2);
    towers_.emplace_back(bundle, Part::text_encoder, two, settings_.layers[Part::text_encoder]);
    if (two) towers_.emplace_back(bundle, Part::text_encoder_2, two, settings_.layers[Part::text_encoder_2]);
    zeros_for_none_ = two && bundle.index().get("force_zeros_for_empty_prompt", true);
    if (!two && check_.arch() == "sdxl") {
        throw Error(ExitCode::no_input, bundle.path(), "the UNet takes the text of two text encoders, the model has no text_encoder_2",
                    "use a whole SDXL model");
    }
}

void TextEncoder::enrich(Record& record) {
    check_.expect_same_model(record, Part::text_encoder);
    PromptTexts texts{.prompt = record.at(key::prompt)};
    check_prompt(texts.prompt, fmt::format("{}: {}", record.place, key::prompt));
    if (const std::string* negative = record.find(key::negative_prompt)) texts.negative = *negative;
    check_prompt(texts.negative.value_or(""), fmt::format("{}: {}", record.place, key::negative_prompt));
    if (!wants_negative_ && !texts.negative.value_or("").empty())
        warn(fmt::format("{}: model {} takes no negative prompt; it is kept and not used", record.place, name_));

    const TextConditions conditions = encode(texts);
    const auto put = [&](std::string_view name, const TensorBytes& tensor) {
        if (!tensor.shape.empty()) record.tensors.insert_or_assign(std::string(name), tensor);
    };
    put(tensor::text_embeds, conditions.embeds);
    put(tensor::text_ids, conditions.ids);
    put(tensor::text_pooled, conditions.pooled);
    put(tensor::text_negative_embeds, conditions.negative);
    put(tensor::text_negative_pooled, conditions.negative_pooled);
    if (record.find(key::kind) == nullptr) record.set(key::kind, std::string(kind::cond));
    record.set(key::arch, check_.arch());
    record.set(key::model, name_);
    sign_device(record, device_);
    record.set(key::text_sha256, check_.sha256(Part::text_encoder));
    record.set(key::prompt_weights, std::string(name(settings_.syntax)));
    record.set(key::clip_skip, std::to_string(settings_.clip_skip));
}

TextConditions TextEncoder::encode(const PromptTexts& texts) {
    // Copied: what is kept may go when the negative prompt is encoded.
    const Encoded positive = encode(texts.prompt, texts.prompt_2.value_or(texts.prompt), settings_.clip_skip, "prompt");
    TextConditions conditions{positive.embeds_bytes, positive.ids_bytes, positive.pooled_bytes, {}, {}};
    if (wants_negative_) add_negative(conditions, texts, positive);
    return conditions;
}

void TextEncoder::add_negative(TextConditions& conditions, const PromptTexts& texts, const Encoded& positive) {
    if (!texts.negative && zeros_for_none_) {
        conditions.negative = from_torch(at::zeros_like(positive.embeds));
        conditions.negative_pooled = from_torch(at::zeros_like(positive.pooled));
        return;
    }
    const std::string first = texts.negative.value_or("");
    const Encoded& negative = encode(first, texts.negative_2.value_or(first), 0, "negative prompt");
    conditions.negative = negative.embeds_bytes;
    conditions.negative_pooled = negative.pooled_bytes;
    const std::int64_t ours = positive.embeds.size(0), theirs = negative.embeds.size(0);
    if (ours == theirs) return;
    const std::int64_t count = std::lcm(ours, theirs);  // both go through the UNet in one batch
    conditions.embeds = from_torch(repeated(positive.embeds, count));
    conditions.negative = from_torch(repeated(negative.embeds, count));
    std::vector<std::int32_t> ids;
    while (static_cast<std::int64_t>(ids.size()) < count) ids.insert(ids.end(), positive.ids.begin(), positive.ids.end());
    conditions.ids = ids_tensor(ids);
}

const TextEncoder::Encoded& TextEncoder::encode(const std::string& first, const std::string& second, int skip, std::string_view what) {
    const auto found = std::find_if(recent_.begin(), recent_.end(), [&](const Encoded& encoded) {
        return encoded.first == first && encoded.second == second && encoded.skip == skip;
    });
    if (found == recent_.end()) {
        count_cache_miss();
        recent_.push_front(run(first, second, skip));
        recent_.resize(std::min(recent_.size(), recent_limit));
    } else {
        count_cache_hit();
        std::rotate(recent_.begin(), found, found + 1);
    }
    const Encoded& encoded = recent_.front();
    if (encoded.cut > 0) {
        const std::size_t room = encoded.ids.size() - 2;  // without BOS and EOS
        const std::string lost = encoded.cut == 1 ? "one was" : fmt::format("{} were", encoded.cut);
        warn(fmt::format("{} is {} tokens long; the last {} cut", what, room + encoded.cut, lost));
    }
    return encoded;
}

TextEncoder::Encoded TextEncoder::run(const std::string& first, const std::string& second, int skip) {
    const c10::InferenceMode no_gradients;
    std::vector<TowerOutput> towers;
    for (const TextTower& tower : towers_)
        towers.push_back(tower.encode(towers.empty() ? first : second, settings_.syntax, settings_.inversions, skip));
    Encoded encoded;
    encoded.first = first;
    encoded.second = second;
    encoded.skip = skip;
    encoded.embeds = joined(towers);
    encoded.pooled = towers.back().pooled;
    encoded.cut = towers.front().cut;
    encoded.ids = towers.front().ids;
    chunks_encoded_ += towers.front().chunks.size();
    encoded.ids.resize(static_cast<std::size_t>(encoded.embeds.size(0)), encoded.ids.back());
    expect_finite(encoded.embeds, tensor::text_embeds);
    encoded.embeds_bytes = from_torch(encoded.embeds);
    encoded.ids_bytes = ids_tensor(encoded.ids);
    if (towers_.size() > 1) {
        if (!encoded.pooled.defined())
            throw Error(ExitCode::data, name_, "the second text encoder has no text_projection",
                        "its config.json names no CLIPTextModelWithProjection");
        encoded.pooled_bytes = from_torch(encoded.pooled);
    }
    return encoded;
}

}  // namespace lcm
