// lcm-denoise: reads records on stdin, runs the steps of a latent consistency model on noise, writes the records with their latents.

#include "lib/cli/denoise_options.h"
#include "lib/cli/main.h"
#include "lib/cli/model_options.h"
#include "lib/cli/progress.h"
#include "lib/cli/seed_options.h"
#include "lib/core/tensor/threads.h"
#include "lib/sampling/denoiser.h"

namespace {

using namespace lcm;

class Denoise : public cli::Command {
public:
    std::string summary() const override { return "Turn noise into latents in a few steps"; }
    std::vector<std::string> examples() const override {
        return {"lcm-encode text \"a red apple\" | lcm-denoise --steps 4 --seed 7 | lcm-render -o apple.png",
                "lcm-denoise --batch 4 prompts.lcms -o latents.lcms",
                "lcm-denoise --to 2 prompts.lcms | lcm-denoise --from 2 -o latents.lcms"};
    }
    bool writes_records() const override { return true; }

    void declare(CLI::App& app) override {
        input_.declare(app);
        output_.declare(app);
        model_.declare(app);
        denoise_.declare(app);
        seeds_.declare(app);
    }

    void check() override { denoise_.check(); }

    ExitCode run(cli::Context& context) override {
        set_threads(context.common().threads);
        cli::RecordInput input(input_);  // first: started alone on a terminal, the tool asks for input
        auto& output = context.open_output(output_);
        cli::Progress progress(context.tool(), context.common().progress, context.common().quiet);
        std::optional<Denoiser> denoiser;
        auto request = denoise_.request;
        request.seed = seeds_.first_seed();
        int picture = 0;
        while (auto record = input.next()) {
            if (record->is_end()) {
                context.write(output, *record);
                continue;
            }
            if (!denoiser) denoiser.emplace(model_.open_for(*record));
            seeds_.expect_fits(*record, request.seed);
            for (int copy = 1; copy <= seeds_.batch; ++copy, ++picture, ++request.seed) {
                auto result = denoiser->denoise(*record, request, picture, progress);
                result.final = record->final && copy == seeds_.batch;
                context.add_history(result);
                context.write(output, result);
            }
        }
        output.finish();
        return ExitCode::ok;
    }

private:
    cli::RecordInputOptions input_;
    cli::RecordOutputOptions output_;
    cli::ModelOptions model_;
    cli::DenoiseOptions denoise_;
    cli::SeedOptions seeds_;
};

}  // namespace

int main(int argc, char** argv) { return cli::run_tool<Denoise>(argc, argv, "lcm-denoise"); }
