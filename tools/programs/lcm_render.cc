// lcm-render: reads records with latents on stdin, decodes them and writes pictures; with --info it tells what a file holds.

#include "lib/cli/info_options.h"
#include "lib/cli/main.h"
#include "lib/cli/model_options.h"
#include "lib/cli/picture_input.h"
#include "lib/cli/picture_output.h"
#include "lib/core/tensor/threads.h"
#include "lib/render/renderer.h"

namespace {

using namespace lcm;

class Render : public cli::Command {
public:
    std::string summary() const override { return "Turn latents into pictures"; }
    std::vector<std::string> examples() const override {
        return {"lcm-encode text \"a red apple\" | lcm-denoise | lcm-render -o apple.png",
                "lcm-render latents.lcms -o 'picture-%04d.jpg' --quality 90", "lcm-render --info apple.png"};
    }

    void declare(CLI::App& app) override {
        input_.declare(app);
        output_.declare(app);
        model_.declare(app);
        info_.declare(app);
    }

    void check() override { info_.check(); }

    ExitCode run(cli::Context& context) override {
        if (info_.wanted) return info_.print(input_.files);
        set_threads(context.common().threads);
        cli::PictureOutput output(output_);
        cli::PictureInput input(input_, output.takes_many());
        std::optional<Renderer> renderer;
        while (const auto record = input.next()) {
            if (!renderer) renderer.emplace(model_.open_for(*record));
            output.write(renderer->render(*record), *record);
            context.count_saved();
        }
        return ExitCode::ok;
    }

private:
    cli::RecordInputOptions input_;
    cli::PictureOutputOptions output_;
    cli::ModelOptions model_;
    cli::InfoOptions info_;
};

}  // namespace

int main(int argc, char** argv) { return cli::run_tool<Render>(argc, argv, "lcm-render"); }
