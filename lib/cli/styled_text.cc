#include "lib/cli/styled_text.h"

#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/core/adapter/adapted_weights.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace {

constexpr std::uint64_t most_skipped = 100;

/// Adapters of the UNet alone leave the text as it is.
std::string text_identity(const AdapterSet& adapters) {
    return adapters.changes(Network::text_encoder) || adapters.changes(Network::text_encoder_2) ? adapters.identity : "";
}

/// The settings with what the record was encoded with.
TextSettings settings_of(const Record& record, TextSettings settings) {
    const auto refuse = [&](std::string_view key, const std::string& value) {
        throw Error(ExitCode::data, record.place, fmt::format("key \"{}\": {} is no value of it", key, json_quote(value)),
                    "encode the prompt again");
    };
    if (const auto* weights = record.find(key::prompt_weights)) {
        const auto syntax = syntax_named(*weights);
        if (!syntax) refuse(key::prompt_weights, *weights);
        settings.syntax = *syntax;
    }
    if (const auto* skipped = record.find(key::clip_skip)) {
        const auto count = parse_u64(*skipped);
        if (!count || *count > most_skipped) refuse(key::clip_skip, *skipped);
        settings.clip_skip = static_cast<int>(*count);
    }
    return settings;
}

}  // namespace

void StyledText::enrich(Record& record, Context& context) { style(record, settings_, context, true); }

void StyledText::restyle(Record& record, Context& context, bool always) { style(record, settings_of(record, settings_), context, always); }

void StyledText::style(Record& record, TextSettings settings, Context& context, bool always) {
    auto entries = loader_.asked(record);
    const auto& adapters = loader_.open(entries, record.place);
    for (const auto& file : loader_.files()) context.dependencies().add(file);
    if (always || loader_.text_is_missing(entries)) {
        encode(record, std::move(settings), adapters, context);
        loader_.mark_text(entries);
    }
    write_adapters(record, entries);
}

void StyledText::encode(Record& record, TextSettings settings, const AdapterSet& adapters, Context& context) {
    const auto identity = fmt::format("{} {} {}", name(settings.syntax), settings.clip_skip, text_identity(adapters));
    if (!encoder_ || identity_ != identity) {
        const auto timed = context.meter().time(Stage::load);
        encoder_.reset();  // before its successor is built: two would need twice the memory
        settings.layers[Part::text_encoder] = weight_layer(adapters, Network::text_encoder);
        settings.layers[Part::text_encoder_2] = weight_layer(adapters, Network::text_encoder_2);
        encoder_.emplace(bundle_, std::move(settings));
        identity_ = identity;
    }
    const auto timed = context.meter().time(Stage::encode);
    const auto before = encoder_->chunks_encoded();
    encoder_->enrich(record);
    if (context.meter().has_reader())
        context.meter().add_operations(Stage::encode, static_cast<double>(encoder_->chunks_encoded() - before) * operations_());
}

}  // namespace lcm::cli
