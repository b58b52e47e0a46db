#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/bundle/bundle.h"
#include "lib/core/bundle/record_check.h"
#include "lib/input/encoder.h"
#include "lib/input/text/prompt_syntax.h"
#include "lib/input/text/text_tower.h"
#include "lib/input/text/textual_inversion.h"

namespace lcm {

/// Longest prompt in bytes.
inline constexpr std::size_t prompt_limit = 65536;

/// How prompts are read.
struct TextSettings {
    PromptSyntax syntax = PromptSyntax::plain;
    int clip_skip = 0;  ///< layers left out at the end, as diffusers counts them; the negative prompt leaves out none
    std::vector<TextualInversion> inversions = {};
    std::map<Part, nn::WeightLayer> layers = {};  ///< what changes the weights of a text encoder
};

/// The texts of one picture. The second text encoder may be given its own.
struct PromptTexts {
    std::string prompt;
    std::optional<std::string> negative = {};  ///< absent: nothing to stay away from
    std::optional<std::string> prompt_2 = {}, negative_2 = {};
};

/// What a UNet is told of the texts of one picture; the members of a record's tensors.
struct TextConditions {
    TensorBytes embeds;    ///< F32 [T,D]
    TensorBytes ids;       ///< I32 [T], of the first text encoder
    TensorBytes pooled;    ///< F32 [P]; empty without pooled text
    TensorBytes negative;  ///< F32 [T,D]; empty where the UNet takes no negative prompt
    TensorBytes negative_pooled;
};

/// Text to conditioning: reads `lcm.prompt` and `lcm.negative_prompt` of a record and adds `text.embeds [T,D]`, `text.ids [T]` and,
/// unless the UNet takes a guidance embedding, `text.negative.embeds [T,D]` (the empty prompt when there is no negative one).
/// A model with two text encoders (SDXL) gets both, side by side, `text.pooled [P]` and its negative; without a negative prompt these
/// are zeros where the model's index says so (`force_zeros_for_empty_prompt`).
///
/// Each text is encoded on its own, so that its bytes depend on no other; the last few are kept and not encoded again.
class TextEncoder : public Encoder {
public:
    /// Loads tokenizers and networks of the bundle. @throws Error(usage) for a clip-skip beyond the layers
    explicit TextEncoder(const Bundle& bundle, TextSettings settings = {});

    /// Sets kind `cond` (unless the record already has a kind), arch, model, text_sha256, prompt_weights, clip_skip.
    /// Refuses prompts that are too long, not UTF-8 or hold a NUL, and a record made with another model; warns when a prompt is cut.
    /// @throws Error(data)
    void enrich(Record& record) override;

    /// The conditions alone.
    TextConditions encode(const PromptTexts& texts);

    /// Chunks of 77 tokens that went through the networks so far; what was kept from before does not count again.
    std::uint64_t chunks_encoded() const { return chunks_encoded_; }

private:
    /// One text as all text encoders read it.
    struct Encoded {
        std::string first, second;  ///< what was encoded, by the first and by the second text encoder
        int skip = 0;
        at::Tensor embeds;  ///< [77 n,D]
        at::Tensor pooled;
        std::vector<std::int32_t> ids;
        TensorBytes embeds_bytes, ids_bytes, pooled_bytes;
        std::size_t cut = 0;  ///< tokens that did not fit
    };

    /// @param what  the role of the prompt, for the warning
    const Encoded& encode(const std::string& first, const std::string& second, int skip, std::string_view what);
    Encoded run(const std::string& first, const std::string& second, int skip);
    void add_negative(TextConditions& conditions, const PromptTexts& texts, const Encoded& positive);

    std::string name_;
    at::Device device_;
    RecordCheck check_;
    TextSettings settings_;
    bool wants_negative_, zeros_for_none_ = false;
    std::vector<TextTower> towers_;
    std::uint64_t chunks_encoded_ = 0;
    std::deque<Encoded> recent_;  ///< the last used first
};

}  // namespace lcm
