#include "lib/cli/prompt_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "lib/base/sha256.h"
#include "lib/cli/line_reader.h"
#include "lib/input/text/text_encoder.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace {

constexpr const char* prompt_group = "Prompt";
constexpr std::size_t id_digits = 16;

class GivenPrompts : public RecordFeed {
public:
    explicit GivenPrompts(const PromptOptions& options) : options_(options) {}

    std::optional<Record> next() override {
        if (number_ == options_.prompts.size()) return std::nullopt;
        auto record = prompt_record(options_.prompts[number_], options_.negative, number_);
        record.final = ++number_ == options_.prompts.size();
        return record;
    }

private:
    PromptOptions options_;
    std::size_t number_ = 0;
};

class PromptLines : public RecordFeed {
public:
    explicit PromptLines(const PromptOptions& options)
        : lines_(open_source(options.prompt_file), prompt_limit), negative_(options.negative) {}

    std::optional<Record> next() override {
        while (auto line = lines_.next())
            if (!line->empty()) return prompt_record(*line, negative_, number_++);
        if (number_ == 0) throw Error(ExitCode::data, lines_.name(), "holds no prompt", "write one prompt a line");
        return std::nullopt;
    }

private:
    LineReader lines_;
    std::optional<std::string> negative_;
    std::size_t number_ = 0;
};

class PromptRecords : public RecordFeed {
public:
    explicit PromptRecords(const PromptOptions& options) : input_(options.records), options_(options) {}

    bool can_go_on() const override { return input_.can_go_on(); }
    std::optional<Record> next() override {
        auto record = input_.next();
        if (!record || record->is_end() || record->is_error()) return record;
        if (!options_.prompts.empty()) record->set(key::prompt, options_.prompts.front());
        if (options_.negative) record->set(key::negative_prompt, *options_.negative);
        if (record->find(key::prompt) == nullptr) {
            const auto* id = record->find(key::id);
            throw RecordFailure({ExitCode::data, record->place, "has no prompt", "give one with -p"}, id == nullptr ? "" : *id);
        }
        return record;
    }

private:
    RecordInput input_;
    PromptOptions options_;
};

}  // namespace

void PromptOptions::declare(CLI::App& app) {
    app.add_option("-p,--prompt", prompts, "Text to draw; one record each")
        ->type_name("TEXT")
        ->allow_extra_args(false)
        ->group(prompt_group);
    app.add_option("PROMPT", prompts, "Text to draw; one record each")->type_name("")->excludes("--prompt");
    app.add_option("--prompt-file", prompt_file, "Read prompts from a file, one a line; - is stdin; empty lines are skipped")
        ->type_name("FILE")
        ->group(prompt_group);
    app.add_option("-N,--negative-prompt", negative, "Text to stay away from; used where guidance is above 1")
        ->type_name("TEXT")
        ->group(prompt_group);
    records.declare(app, false);
}

void PromptOptions::check() {
    records.check();
    const bool from_records = !records.files.empty();
    if (!prompt_file.empty() && (!prompts.empty() || from_records))
        throw Error(ExitCode::usage, "--prompt-file", fmt::format("and {} both give prompts", from_records ? "--input" : "--prompt"),
                    "use one of them");
    if (from_records && prompts.size() > 1)
        throw Error(ExitCode::usage, "--input", "takes one prompt for all its records", "give --prompt once");
    if (prompts.empty() && prompt_file.empty() && !from_records)
        throw Error(ExitCode::usage, "", "no prompt is given",
                    "write it after the command (\"a red apple\"), or use --prompt-file or --input");
}

Record prompt_record(const std::string& prompt, const std::optional<std::string>& negative, std::size_t number) {
    Record record;
    record.place = fmt::format("record {}", number);
    record.set(key::prompt, prompt);
    if (negative) record.set(key::negative_prompt, *negative);
    const auto identity = fmt::format("{}\n{}\n{}", number, prompt, negative.value_or(""));
    record.set(key::id, sha256_hex(as_bytes(identity)).substr(0, id_digits));
    return record;
}

std::unique_ptr<RecordFeed> open_prompts(const PromptOptions& options) {
    if (!options.records.files.empty()) return std::make_unique<PromptRecords>(options);
    if (!options.prompt_file.empty()) return std::make_unique<PromptLines>(options);
    return std::make_unique<GivenPrompts>(options);
}

}  // namespace lcm::cli
