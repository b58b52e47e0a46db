#include "lib/input/text/text_encoder.h"

#include <ATen/ops/tensor.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/core/tensor/convert.h"
#include "lib/stream/keys.h"

namespace lcm {

namespace {

constexpr std::size_t recent_limit = 8;

const Bundle& expect_one_text_encoder(const Bundle& bundle) {
    if (bundle.index().find("text_encoder_2") != nullptr || bundle.arch() == "sdxl") {
        throw Error(ExitCode::unavailable, bundle.path(), "SDXL models have two text encoders, which this version does not run",
                    "use a model of Stable Diffusion 1.5 or one distilled from it");
    }
    return bundle;
}

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

}  // namespace

TextEncoder::TextEncoder(const Bundle& bundle)
    : name_(expect_one_text_encoder(bundle).name()),
      arch_(bundle.arch()),
      sha256_(bundle.sha256(Part::text_encoder)),
      wants_negative_(!UNetConfig::from_json(bundle.config(Part::unet)).time_cond_proj_dim),
      tokenizer_(Tokenizer::open(bundle.tokenizer_path())),
      network_(bundle.text_encoder()) {
    const auto length = static_cast<std::int64_t>(tokenizer_.length());
    const std::int64_t most = network_.config().max_position_embeddings;
    if (length > most) {
        throw Error(ExitCode::data, bundle.tokenizer_path(),
                    fmt::format("the tokenizer gives {} ids, but the text encoder takes {}", length, most));
    }
}

void TextEncoder::refuse_another_model(const Record& record) const {
    const auto compare = [&](std::string_view key, const std::string& ours) {
        const std::string* theirs = record.find(key);
        if (theirs != nullptr && *theirs != ours) {
            throw Error(ExitCode::data, record.place, fmt::format("its {} is {}, but that of model {} is {}", key, *theirs, name_, ours),
                        "use the model that the record was made with");
        }
    };
    compare(key::arch, arch_);
    compare(key::text_sha256, sha256_);
}

void TextEncoder::enrich(Record& record) {
    refuse_another_model(record);
    const std::string& prompt = record.at(key::prompt);
    check_prompt(prompt, fmt::format("{}: {}", record.place, key::prompt));
    const std::string* given_negative = record.find(key::negative_prompt);
    const std::string negative = given_negative == nullptr ? std::string() : *given_negative;
    check_prompt(negative, fmt::format("{}: {}", record.place, key::negative_prompt));

    const Encoded positive = encode(prompt, "prompt");
    record.tensors.insert_or_assign(std::string(tensor::text_embeds), positive.embeds);
    record.tensors.insert_or_assign(std::string(tensor::text_ids), positive.ids);
    if (!wants_negative_ && !negative.empty())
        warn(fmt::format("{}: model {} takes no negative prompt; it is kept and not used", record.place, name_));
    if (wants_negative_)
        record.tensors.insert_or_assign(std::string(tensor::text_negative_embeds), encode(negative, "negative prompt").embeds);
    if (record.find(key::kind) == nullptr) record.set(key::kind, std::string(kind::cond));
    record.set(key::arch, arch_);
    record.set(key::model, name_);
    record.set(key::text_sha256, sha256_);
    record.set(key::prompt_weights, "none");
    record.set(key::clip_skip, "0");
}

TextEncoder::Encoded TextEncoder::encode(const std::string& prompt, std::string_view what) {
    const auto found = std::find_if(recent_.begin(), recent_.end(), [&](const Encoded& encoded) { return encoded.prompt == prompt; });
    if (found == recent_.end()) {
        recent_.push_front(run(prompt));
        recent_.resize(std::min(recent_.size(), recent_limit));
    } else {
        std::rotate(recent_.begin(), found, found + 1);
    }
    const Encoded& encoded = recent_.front();
    if (encoded.cut > 0) {
        constexpr std::size_t marks = 2;  // BOS and EOS
        const std::string lost = encoded.cut == 1 ? "one was" : fmt::format("{} were", encoded.cut);
        warn(fmt::format("{} is {} tokens long; the last {} cut", what, tokenizer_.length() - marks + encoded.cut, lost));
    }
    return encoded;
}

TextEncoder::Encoded TextEncoder::run(const std::string& prompt) const {
    const c10::InferenceMode no_gradients;
    Encoded encoded{.prompt = prompt, .embeds = {}, .ids = {}};
    const std::vector<std::int32_t> ids = tokenizer_.encode_padded(prompt, &encoded.cut);
    const std::vector<std::int64_t> wide(ids.begin(), ids.end());
    const at::Tensor hidden = network_.forward(at::tensor(wide).unsqueeze(0)).last_hidden_state.squeeze(0).to(at::kFloat);
    expect_finite(hidden, tensor::text_embeds);
    encoded.embeds = from_torch(hidden);
    encoded.ids = ids_tensor(ids);
    return encoded;
}

}  // namespace lcm
