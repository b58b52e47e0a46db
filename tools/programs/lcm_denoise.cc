// lcm-denoise: reads records on stdin, runs the steps of a sampler on noise or a start picture, writes the records with their latents.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>

#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cli/adapter_loader.h"
#include "lib/cli/control_loader.h"
#include "lib/cli/denoise_options.h"
#include "lib/cli/fused_batch.h"
#include "lib/cli/main.h"
#include "lib/cli/model_options.h"
#include "lib/cli/record_loop.h"
#include "lib/cli/seed_options.h"
#include "lib/core/bundle/cost.h"
#include "lib/sampling/denoiser.h"
#include "lib/sampling/explain.h"
#include "lib/sampling/run_settings.h"
#include "lib/stream/keys.h"

namespace {

using namespace lcm;

constexpr std::size_t most_details = 20;

class Denoise : public cli::Command {
public:
    std::string summary() const override { return "Turn noise into latents in a few steps"; }
    std::vector<std::string> examples() const override {
        return {"lcm-encode text \"a red apple\" | lcm-denoise --steps 4 --seed 7 | lcm-render -o apple.png",
                "lcm-denoise --preset lightning --explain prompts.lcms", "lcm-denoise --batch 4 prompts.lcms -o latents.lcms",
                "lcm-denoise --to 2 prompts.lcms | lcm-denoise --from 2 -o latents.lcms"};
    }
    bool writes_records() const override { return true; }
    std::string noun() const override { return "picture"; }

    void declare(CLI::App& app) override {
        input_.declare(app);
        output_.declare(app);
        model_.declare(app, {Part::unet});
        model_.declare_precision(app);
        denoise_.declare(app);
        control_.declare(app);
        adapters_.declare(app, true);
        seeds_.declare(app);
        batch_.declare(app);
    }

    void check() override {
        denoise_.check();
        control_.check();
        adapters_.check();
        input_.reading.from_comfy = denoise_.from_comfy();
        output_.to_comfy = denoise_.to_comfy();
        cli::check_filter(input_, output_, batch_);
    }

    std::optional<cli::Plan> plan(cli::Context& context) override {
        context.apply_threads();
        output_.expect_possible();
        cli::RecordInput input(input_);
        cli::Plan plan{context.tool(), "", output_.path, 0, {}, 0, cli::resting_memory};
        std::optional<Bundle> bundle;
        for (std::uint64_t number = 0; auto record = input.next();) {
            if (record->is_end() || !batch_.takes(number++)) continue;
            if (!bundle) bundle.emplace(model_.open_for(*record));
            const auto run = settings_for(*bundle, *record, denoise_.request);
            const auto shape = run.latent_shape(bundle->latent_format());
            const auto cost = cost_of(*bundle, Part::unet, shape[1], shape[2]);
            plan.model = bundle->name();
            plan.records += static_cast<std::uint64_t>(seeds_.batch);
            plan.operations += cost.operations * run.steps * seeds_.batch;
            plan.memory = std::max(plan.memory, cli::resting_memory + cost.weight_bytes + cost.working_bytes * denoise_.fuse_batch);
            if (plan.details.size() < most_details)
                plan.details.push_back(fmt::format("{}: {} steps of {}x{}, guidance {}", record->place, run.steps, run.width, run.height,
                                                   format_number(run.guidance)));
        }
        return plan;
    }

    ExitCode run(cli::Context& context) override {
        context.apply_threads();
        cli::RecordInput input(input_);  // first: started alone on a terminal, the tool asks for input
        if (denoise_.sampler.explain) return explain_records(input);
        if (batch_.skip_existing && output_.is_there()) return ExitCode::ok;
        auto& output = context.open_output(output_);
        std::optional<Denoiser> denoiser;
        cli::FusedBatch fused(context, batch_);
        const auto flush = [&] {
            if (denoiser) fused.flush(*denoiser);
        };
        const auto first_seed = seeds_.first_seed();
        const auto code = cli::for_each_record(
            context, input, batch_,
            [&](Record& record, std::uint64_t number) {
                auto request = denoise_.request;
                request.seed = seeds_.seed_of(record, number, first_seed);
                const auto copies = static_cast<std::uint64_t>(seeds_.batch);
                std::shared_ptr<const Record> kept;
                for (std::uint64_t copy = 0; copy < copies; ++copy) {
                    if (copy > 0 && !seeds_.one_generator) ++request.seed;
                    if (seeds_.one_generator) std::tie(request.rng_rows, request.rng_row) = std::pair(seeds_.batch, copy);
                    const auto picture = number * copies + copy;
                    if (batch_.skip_existing && output.has(named(record, request.seed), picture)) continue;
                    if (!kept) {
                        load(denoiser, record, context, flush);
                        kept = std::make_shared<const Record>(record);
                    }
                    const bool final = record.final && copy + 1 == copies;
                    if (denoise_.fuse_batch == 1) {
                        cli::write_picture(context, denoiser->denoise(record, request, static_cast<int>(picture), context.observer()),
                                           picture, final);
                        continue;
                    }
                    fused.add({kept, request, picture, final});
                    if (fused.size() == denoise_.fuse_batch) flush();
                }
            },
            flush);
        output.finish();
        context.write_dependencies(output_);
        return code;
    }

private:
    /// Prints what the steps of each record would be.
    ExitCode explain_records(cli::RecordInput& input) const {
        const auto first_seed = seeds_.first_seed();
        std::optional<Bundle> bundle;
        for (std::uint64_t number = 0; auto record = input.next();) {
            if (record->is_end() || !batch_.takes(number++)) continue;
            if (!bundle) bundle.emplace(model_.open_for(*record));
            auto request = denoise_.request;
            request.seed = seeds_.seed_of(*record, number - 1, first_seed);
            const auto text = fmt::format("{}: {}", escape_control(record->place), explain(settings_for(*bundle, *record, request)));
            std::fwrite(text.data(), 1, text.size(), stdout);
        }
        return ExitCode::ok;
    }

    Bundle open(const Record& record, cli::Context& context) const {
        auto bundle = model_.open_for(record);
        context.dependencies().add_model(bundle.path());
        for (const auto& file : input_.files) context.dependencies().add(file);
        return bundle;
    }

    /// Builds the network where there is none yet, or one with other adapters or other steering than the record's.
    /// @param flush  finishes what waits for the one that goes
    void load(std::optional<Denoiser>& denoiser, Record& record, cli::Context& context, const std::function<void()>& flush) {
        if (!bundle_) {
            bundle_.emplace(open(record, context));
            loader_.emplace(*bundle_, adapters_);
            controls_.emplace(control_, *bundle_);
            context.set_step_cost(OperationTable(*bundle_, {Part::unet}));
        }
        const auto& adapters = adapters_of(record, context);
        const auto& controls = controls_of(record, context);
        const auto identity = fmt::format("{} {}", adapters.identity, controls.identity);
        if (denoiser && identity_ == identity) return;
        flush();
        const auto timed = context.meter().time(Stage::load);
        denoiser.reset();  // before its successor is built: two would need twice the memory
        denoiser.emplace(*bundle_, adapters, controls);
        identity_ = identity;
    }

    /// The steering networks of a record, else of the flags, which the record then names.
    const ControlSet& controls_of(Record& record, cli::Context& context) {
        const auto entries = controls_->listed(record);
        const auto& controls = controls_->open(entries, record.place);
        for (const auto& path : controls_->files()) {
            context.dependencies().add_model(path);
            context.dependencies().add(path);
        }
        write_controls(record, entries);
        return controls;
    }

    /// The adapters of a record and of the flags, which are added to its list.
    const AdapterSet& adapters_of(Record& record, cli::Context& context) {
        if (record.find(key::step) != nullptr && !adapters_.loras.empty())
            throw Error(ExitCode::usage, "--lora", "would change the adapters of a picture that is begun", "leave it out");
        const auto entries = loader_->listed(record);
        const auto& adapters = loader_->open(entries, record.place);
        loader_->expect_text(entries, record.place);
        for (const auto& file : loader_->files()) context.dependencies().add(file);
        write_adapters(record, entries);
        return adapters;
    }

    /// The record with what its file is named after.
    static Record named(const Record& record, std::uint64_t seed) {
        Record result;
        result.metadata = record.metadata;
        result.set(key::seed, std::to_string(seed));
        return result;
    }

    cli::RecordInputOptions input_;
    cli::RecordOutputOptions output_;
    cli::ModelOptions model_;
    cli::DenoiseOptions denoise_;
    cli::ControlOptions control_;
    cli::AdapterOptions adapters_;
    cli::SeedOptions seeds_;
    cli::BatchOptions batch_;
    std::optional<Bundle> bundle_;
    std::optional<cli::AdapterLoader> loader_;
    std::optional<cli::ControlLoader> controls_;
    std::string identity_;  ///< of the adapters and steering networks that the denoiser was built with
};

}  // namespace

int main(int argc, char** argv) { cli::run_tool<Denoise>(argc, argv, "lcm-denoise"); }
