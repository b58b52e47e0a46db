// lcm-render: reads records with latents on stdin, decodes them and writes pictures; with --info it tells what a file holds.

#include <algorithm>

#include "lib/cli/info_options.h"
#include "lib/cli/main.h"
#include "lib/cli/model_options.h"
#include "lib/cli/picture_input.h"
#include "lib/cli/picture_output.h"
#include "lib/cli/record_loop.h"
#include "lib/cli/tile_options.h"
#include "lib/core/bundle/cost.h"
#include "lib/render/renderer.h"
#include "lib/stream/keys.h"

namespace {

using namespace lcm;

class Render : public cli::Command {
public:
    std::string summary() const override { return "Turn latents into pictures"; }
    std::vector<std::string> examples() const override {
        return {"lcm-encode text \"a red apple\" | lcm-denoise | lcm-render -o apple.png",
                "lcm-render latents.lcms -o 'picture-%04d.jpg' --quality 90", "lcm-render --info apple.png"};
    }

    bool writes_data() const override { return output_.path == "-"; }
    std::string noun() const override { return "picture"; }

    void declare(CLI::App& app) override {
        input_.declare(app);
        input_.declare_from(app);
        output_.declare(app);
        model_.declare(app, {Part::vae});
        model_.declare_precision(app);
        tile_.declare(app);
        batch_.declare(app);
        info_.declare(app);
    }

    void check() override {
        info_.check_flags();
        tile_.tiling();
        cli::check_filter(input_, output_, batch_);
    }

    std::optional<cli::Plan> plan(cli::Context& context) override {
        if (info_.wanted()) return std::nullopt;
        context.apply_threads();
        output_.expect_possible();
        const cli::PictureOutput output(output_);
        cli::PictureInput input(input_, output.takes_many());
        cli::Plan plan{context.tool(), "", output_.path, 0, {}, 0, cli::resting_memory};
        std::optional<Bundle> bundle;
        for (std::uint64_t number = 0; const auto record = input.next();) {
            if (!batch_.takes(number++)) continue;
            if (!bundle) bundle.emplace(model_.open_for(*record));
            const auto& latent = record->tensor(tensor::latent, "pipe it through lcm-denoise first").shape;
            if (latent.size() != 3) throw Error(ExitCode::data, record->place, "its latent is not [C,h,w]");
            const auto cost = cost_of(*bundle, Part::vae, latent[1], latent[2]);
            plan.model = bundle->name();
            ++plan.records;
            plan.operations += cost.operations;
            plan.memory = std::max(plan.memory, cli::resting_memory + cost.weight_bytes + cost.working_bytes);
        }
        return plan;
    }

    ExitCode run(cli::Context& context) override {
        if (info_.wanted()) return info_.print(input_.files, context.common().json);
        context.apply_threads();
        cli::PictureOutput output(output_);
        cli::PictureInput input(input_, output.takes_many());
        std::optional<Renderer> renderer;
        const auto code = cli::for_each_record(context, input, batch_, [&](const Record& record, std::uint64_t number) {
            if (batch_.skip_existing && output.has(record, number)) return;
            if (!renderer) load(renderer, record, context);
            output.write(draw(*renderer, record, context), record, number);
            context.count_saved();
            context.meter().count(Counter::pictures);
            context.progress().done();
        });
        context.write_dependencies(output_);
        return code;
    }

private:
    Image draw(const Renderer& renderer, const Record& record, cli::Context& context) {
        const auto timed = context.meter().time(Stage::decode);
        auto picture = renderer.render(record);
        const auto& latent = record.tensor(tensor::latent, "pipe it through lcm-denoise first").shape;
        if (context.meter().has_reader()) context.meter().add_operations(Stage::decode, (*operations_)(latent.at(1), latent.at(2)));
        return picture;
    }

    void load(std::optional<Renderer>& renderer, const Record& record, cli::Context& context) {
        const auto timed = context.meter().time(Stage::load);
        const auto bundle = open(record, context);
        renderer.emplace(bundle, tile_.tiling());
        operations_.emplace(bundle, std::vector{Part::vae});
    }

    Bundle open(const Record& record, cli::Context& context) const {
        auto bundle = model_.open_for(record);
        context.dependencies().add_model(bundle.path());
        for (const auto& file : input_.files) context.dependencies().add(file);
        return bundle;
    }

    cli::RecordInputOptions input_;
    cli::PictureOutputOptions output_;
    cli::ModelOptions model_;
    cli::TileOptions tile_;
    cli::BatchOptions batch_;
    cli::InfoOptions info_;
    std::optional<OperationTable> operations_;  ///< of the model that decodes
};

}  // namespace

int main(int argc, char** argv) { cli::run_tool<Render>(argc, argv, "lcm-render"); }
