// lcm-encode: turns text into conditioning records. `text` reads prompts from operands, files or records, runs the model's text
// encoder once for each, and writes records to stdout or a file.

#include "lib/cli/main.h"
#include "lib/cli/model_options.h"
#include "lib/cli/prompt_options.h"
#include "lib/core/tensor/threads.h"
#include "lib/input/text/text_encoder.h"

namespace {

using namespace lcm;

class EncodeText : public cli::Command {
public:
    std::string name() const override { return "text"; }
    std::string summary() const override { return "Encode prompts as text embeddings"; }
    std::vector<std::string> examples() const override {
        return {"lcm-encode text \"a red apple\" | lcm-denoise | lcm-render -o apple.png",
                "lcm-encode text --prompt-file prompts.txt -o prompts.lcms"};
    }
    bool writes_records() const override { return true; }

    void declare(CLI::App& app) override {
        prompts_.declare(app);
        output_.declare(app);
        model_.declare(app);
    }

    void check() override { prompts_.check(); }

    ExitCode run(cli::Context& context) override {
        set_threads(context.common().threads);
        auto& output = context.open_output(output_);
        auto feed = cli::PromptFeed::open(prompts_);
        TextEncoder encoder(model_.open());
        while (auto record = feed->next()) {
            if (!record->is_end()) {
                encoder.enrich(*record);
                context.add_history(*record);
            }
            context.write(output, *record);
        }
        output.finish();
        return ExitCode::ok;
    }

private:
    cli::PromptOptions prompts_;
    cli::RecordOutputOptions output_;
    cli::ModelOptions model_;
};

}  // namespace

int main(int argc, char** argv) { return cli::run_tool<EncodeText>(argc, argv, "lcm-encode"); }
