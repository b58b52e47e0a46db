#pragma once

#include <optional>
#include <string>

#include "lib/cli/adapter_loader.h"
#include "lib/cli/command.h"
#include "lib/core/bundle/cost.h"
#include "lib/input/text/text_encoder.h"

namespace lcm::cli {

/// The text encoder of one model with the adapters that records ask for: its networks are built again when these change.
class StyledText {
public:
    StyledText(const Bundle& bundle, TextSettings settings, const AdapterOptions& options)
        : bundle_(bundle),
          settings_(std::move(settings)),
          loader_(bundle, options),
          operations_(bundle, {Part::text_encoder, Part::text_encoder_2}) {}

    /// Encodes the record's prompt with the adapters that it, its prompt and the flags ask for, and lists them in the record.
    /// @throws Error(data) as TextEncoder and AdapterLoader
    void enrich(Record& record, Context& context);

    /// The same for a record that says how its text is read, by its syntax and its clip-skip, and may have it already: it is encoded again
    /// only where adapters change it, or always. @throws Error(data) for values of these that nobody writes
    void restyle(Record& record, Context& context, bool always);

private:
    void style(Record& record, TextSettings settings, Context& context, bool always);
    void encode(Record& record, TextSettings settings, const AdapterSet& adapters, Context& context);

    const Bundle& bundle_;
    TextSettings settings_;
    AdapterLoader loader_;
    std::optional<TextEncoder> encoder_;
    OperationTable operations_;  ///< of a chunk of text
    std::string identity_;       ///< of the adapters and settings that the encoder was built with
};

}  // namespace lcm::cli
