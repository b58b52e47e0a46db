#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "lib/core/bundle/bundle.h"
#include "lib/input/encoder.h"
#include "lib/input/text/tokenizer.h"

namespace lcm {

/// Longest prompt in bytes.
inline constexpr std::size_t prompt_limit = 65536;

/// Text to conditioning: reads `lcm.prompt` and `lcm.negative_prompt` of a record and adds `text.embeds [T,D]`, `text.ids [T]` and,
/// unless the UNet takes a guidance embedding, `text.negative.embeds [T,D]` (the empty prompt when there is no negative one).
///
/// Each text is encoded on its own, so that its bytes depend on no other; the last few are kept and not encoded again.
class TextEncoder : public Encoder {
public:
    /// Loads tokenizer and network of the bundle. @throws Error(unavailable) for a model with two text encoders
    explicit TextEncoder(const Bundle& bundle);

    /// Sets kind `cond` (unless the record already has a kind), arch, model, text_sha256, prompt_weights "none", clip_skip "0".
    /// Refuses prompts that are too long, not UTF-8 or hold a NUL, and a record made with another model; warns when a prompt is cut.
    /// @throws Error(data)
    void enrich(Record& record) override;

private:
    struct Encoded {
        std::string prompt;
        TensorBytes embeds;   ///< F32 [T,D], the last hidden state after the final norm
        TensorBytes ids;      ///< I32 [T]
        std::size_t cut = 0;  ///< tokens of the prompt that did not fit
    };

    void refuse_another_model(const Record& record) const;
    /// @param what  the role of the prompt, for the warning
    Encoded encode(const std::string& prompt, std::string_view what);
    Encoded run(const std::string& prompt) const;

    std::string name_, arch_, sha256_;
    bool wants_negative_;
    Tokenizer tokenizer_;
    CLIPTextModel network_;
    std::deque<Encoded> recent_;  ///< the last used first
};

}  // namespace lcm
