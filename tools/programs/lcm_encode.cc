// lcm-encode: turns text into conditioning records. `text` reads prompts from operands, files or records, --requests whole requests as
// JSON lines; the model's text encoder runs once for each, and records go to stdout or files.

#include "lib/cli/main.h"
#include "lib/cli/model_options.h"
#include "lib/cli/prompt_options.h"
#include "lib/cli/record_loop.h"
#include "lib/cli/request_feed.h"
#include "lib/cli/styled_text.h"
#include "lib/cli/text_options.h"
#include "lib/core/bundle/cost.h"
#include "tools/programs/encode_image.h"

namespace {

using namespace lcm;

/// Encodes the text of every record of a feed.
class Encode : public cli::Command {
public:
    bool writes_records() const override { return true; }
    std::string noun() const override { return "prompt"; }

    void declare(CLI::App& app) override {
        declare_prompts(app);
        output_.declare(app);
        model_.declare(app, {Part::text_encoder, Part::text_encoder_2});
        text_.declare(app);
        adapters_.declare(app, false);
        batch_.declare(app);
    }

    void check() override {
        check_prompts(batch_.keep_going);
        text_.check();
        adapters_.check();
        output_.check();
        batch_.check();
    }

    std::optional<cli::Plan> plan(cli::Context& context) override {
        context.apply_threads();
        output_.expect_possible();
        const auto bundle = model_.open();
        auto cost = cost_of(bundle, Part::text_encoder, 0, 0);
        if (bundle.has(Part::text_encoder_2)) cost += cost_of(bundle, Part::text_encoder_2, 0, 0);
        cli::Plan plan{context.tool(), bundle.name(), output_.path, 0, {}, 0, cli::resting_memory + cost.weight_bytes + cost.working_bytes};
        const auto feed = open_feed();
        while (const auto record = feed->next()) {
            if (record->is_end() || !batch_.takes(plan.records)) continue;
            ++plan.records;
            plan.operations += cost.operations;
        }
        return plan;
    }

    ExitCode run(cli::Context& context) override {
        context.apply_threads();
        if (batch_.skip_existing && output_.is_there()) return ExitCode::ok;
        auto& output = context.open_output(output_);
        const auto feed = open_feed();
        const auto bundle = model_.open();
        context.dependencies().add_model(bundle.path());
        context.dependencies().add(bundle.path());
        for (const auto& file : input_files()) context.dependencies().add(file);
        for (const auto& file : text_.files()) context.dependencies().add(file);
        cli::StyledText text(bundle, text_.settings(bundle), adapters_);
        const auto code = cli::for_each_record(context, *feed, batch_, [&](Record& record, std::uint64_t number) {
            if (batch_.skip_existing && output.has(record, number)) return;
            encode(text, record, context);
            context.add_history(record);
            context.write(std::move(record), number);
        });
        output.finish();
        context.write_dependencies(output_);
        return code;
    }

protected:
    virtual void declare_prompts(CLI::App& app) = 0;
    virtual void check_prompts(bool keep_going) = 0;
    virtual std::unique_ptr<cli::RecordFeed> open_feed() = 0;
    virtual std::vector<std::string> input_files() const = 0;
    virtual void encode(cli::StyledText& text, Record& record, cli::Context& context) const { text.enrich(record, context); }

private:
    cli::RecordOutputOptions output_;
    cli::ModelOptions model_;
    cli::TextOptions text_;
    cli::AdapterOptions adapters_;
    cli::BatchOptions batch_;
};

class EncodeText : public Encode {
public:
    std::string name() const override { return "text"; }
    std::string summary() const override { return "Encode prompts as text embeddings"; }
    std::vector<std::string> examples() const override {
        return {"lcm-encode text \"a red apple\" | lcm-denoise | lcm-render -o apple.png",
                "lcm-encode text --prompt-file prompts.txt -o prompts.lcms"};
    }

private:
    void declare_prompts(CLI::App& app) override { prompts_.declare(app); }
    void check_prompts(bool keep_going) override {
        prompts_.records.reading.keep_going = keep_going;
        prompts_.check();
    }
    std::unique_ptr<cli::RecordFeed> open_feed() override { return cli::open_prompts(prompts_); }
    std::vector<std::string> input_files() const override {
        auto files = prompts_.records.files;
        files.push_back(prompts_.prompt_file);
        return files;
    }

    cli::PromptOptions prompts_;
};

class EncodeRequests : public Encode {
public:
    std::string summary() const override { return "Encode what is to be drawn: prompts (text), or requests as JSON lines"; }
    std::vector<std::string> examples() const override {
        return {"lcm-encode --requests requests.jsonl | lcm-denoise | lcm-render -o '{id}.png'"};
    }

private:
    void declare_prompts(CLI::App& app) override { requests_.declare(app); }
    void check_prompts(bool) override { requests_.check(); }
    std::unique_ptr<cli::RecordFeed> open_feed() override { return requests_.open(); }
    std::vector<std::string> input_files() const override { return {requests_.path}; }
    void encode(cli::StyledText& text, Record& record, cli::Context& context) const override { text.restyle(record, context, true); }

    cli::RequestOptions requests_;
};

}  // namespace

int main(int argc, char** argv) { cli::run_tool<EncodeText, EncodeImage, EncodeRequests>(argc, argv, "lcm-encode"); }
