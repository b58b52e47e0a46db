#pragma once

#include <string>

#include "lib/core/bundle/bundle.h"
#include "lib/input/encoder.h"
#include "lib/input/text/tokenizer.h"

namespace lcm {

/// Text to conditioning: reads `lcm.prompt` and `lcm.negative_prompt` of a record and adds `text.embeds [T,D]`, `text.ids [T]` and,
/// unless the UNet takes a guidance embedding, `text.negative.embeds [T,D]` (the empty prompt when there is no negative one).
class TextEncoder : public Encoder {
public:
    /// Loads tokenizer and network of the bundle.
    explicit TextEncoder(const Bundle& bundle);

    /// Sets kind `cond` (unless the record already has a kind), arch, model, text_sha256, prompt_weights "none", clip_skip "0".
    /// Refuses prompts over 64 KiB or not UTF-8; warns when a prompt is cut. @throws Error(data)
    void enrich(Record& record) override;

private:
    std::string name_, arch_, sha256_;
    bool wants_negative_;
    Tokenizer tokenizer_;
    CLIPTextModel network_;
};

}  // namespace lcm
