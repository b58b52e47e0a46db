// lcm-stylize: reads records on stdin, adds adapters and a prompt template to them, encodes their text again where that changes it, and
// writes them. `list` and `info` tell of adapter files.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/cli/adapter_loader.h"
#include "lib/cli/adapter_path.h"
#include "lib/cli/main.h"
#include "lib/cli/model_options.h"
#include "lib/cli/record_loop.h"
#include "lib/cli/styled_text.h"
#include "lib/cli/text_options.h"
#include "lib/core/bundle/bundle_parameters.h"
#include "lib/core/bundle/cost.h"
#include "lib/stream/keys.h"
#include "lib/style/adapter_report.h"
#include "lib/style/prompt_template.h"

namespace {

using namespace lcm;

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

/// Adds a style to the records that pass.
class Stylize : public cli::Command {
public:
    std::string summary() const override { return "Add adapters and prompt templates to records, or tell of adapters (list, info)"; }
    std::vector<std::string> examples() const override {
        return {"lcm-encode text \"a red apple\" | lcm-stylize --lora oil.safetensors:0.8 | lcm-denoise | lcm-render -o apple.png",
                "lcm-stylize --template \"oil painting of {prompt}\" prompts.lcms -o styled.lcms"};
    }
    bool writes_records() const override { return true; }
    std::string noun() const override { return "style"; }

    void declare(CLI::App& app) override {
        input_.declare(app);
        output_.declare(app);
        model_.declare(app, {Part::text_encoder, Part::text_encoder_2});
        text_.declare(app);
        adapters_.declare(app, false);
        app.add_option("--template", template_, "Text to draw instead of the prompt, which takes the place of {prompt} in it")
            ->type_name("TEXT")
            ->group(cli::group::generation);
        batch_.declare(app);
    }

    void check() override {
        if (adapters_.loras.empty() && template_.empty())
            throw Error(ExitCode::usage, "", "no style is given",
                        "use --lora, --template or both; lcm-stylize list tells what is installed");
        text_.check();
        adapters_.check();
        if (!template_.empty()) PromptTemplate{template_};
        cli::check_filter(input_, output_, batch_);
    }

    std::optional<cli::Plan> plan(cli::Context& context) override {
        context.apply_threads();
        output_.expect_possible();
        cli::RecordInput input(input_);
        cli::Plan plan{context.tool(), "", output_.path, 0, {}, 0, cli::resting_memory};
        for (const auto& entry : adapters_.entries()) plan.details.push_back(fmt::format("adapter {} from {}", entry.id, entry.file));
        std::optional<Bundle> bundle;
        for (std::uint64_t number = 0; auto record = input.next();) {
            if (record->is_end() || !batch_.takes(number++)) continue;
            if (!bundle) bundle.emplace(model_.open_for(*record));
            const auto cost = cost_of(*bundle, Part::text_encoder, 0, 0);
            plan.model = bundle->name();
            ++plan.records;
            plan.operations += cost.operations;
            plan.memory = cli::resting_memory + cost.weight_bytes + cost.working_bytes;
        }
        return plan;
    }

    ExitCode run(cli::Context& context) override {
        context.apply_threads();
        cli::RecordInput input(input_);  // first: started alone on a terminal, the tool asks for input
        if (batch_.skip_existing && output_.is_there()) return ExitCode::ok;
        auto& output = context.open_output(output_);
        const auto code = cli::for_each_record(context, input, batch_, [&](Record& record, std::uint64_t number) {
            if (batch_.skip_existing && output.has(record, number)) return;
            style(record, context);
            context.add_history(record);
            context.write(std::move(record), number);
        });
        output.finish();
        context.write_dependencies(output_);
        return code;
    }

private:
    void style(Record& record, cli::Context& context) {
        if (record.find(key::step) != nullptr || record.tensors.contains(tensor::latent))
            throw Error(ExitCode::data, record.place, "is already being denoised, which a style comes before",
                        "pipe it through lcm-stylize before lcm-denoise");
        if (!bundle_) open(record, context);
        if (!template_.empty()) record.set(key::prompt, PromptTemplate(template_).apply(record.at(key::prompt)));
        styled_->restyle(record, context, !template_.empty());
    }

    void open(const Record& record, cli::Context& context) {
        bundle_.emplace(model_.open_for(record));
        styled_.emplace(*bundle_, text_.settings(*bundle_), adapters_);
        context.dependencies().add_model(bundle_->path());
        for (const auto& file : input_.files) context.dependencies().add(file);
    }

    cli::RecordInputOptions input_;
    cli::RecordOutputOptions output_;
    cli::ModelOptions model_;
    cli::TextOptions text_;
    cli::AdapterOptions adapters_;
    std::string template_;
    cli::BatchOptions batch_;
    std::optional<Bundle> bundle_;
    std::optional<cli::StyledText> styled_;
};

class List : public cli::Command {
public:
    std::string name() const override { return "list"; }
    std::string summary() const override { return "List the adapters that can be named without a path, and where they are"; }
    std::vector<std::string> examples() const override { return {"lcm-stylize list", "LCM_MODEL_PATH=~/loras lcm-stylize list --json"}; }
    void declare(CLI::App&) override {}

    ExitCode run(cli::Context& context) override {
        for (const auto& adapter : cli::installed_adapters())
            print(context.common().json ? fmt::format("{{\"file\":{},\"name\":{}}}\n", json_quote(adapter.file), json_quote(adapter.name))
                                        : fmt::format("{}\t{}\n", escape_control(adapter.name), escape_control(adapter.file)));
        return ExitCode::ok;
    }
};

class Info : public cli::Command {
public:
    std::string name() const override { return "info"; }
    std::string summary() const override { return "Tell an adapter's format, rank, alpha, targets and how much it changes each block"; }
    std::vector<std::string> examples() const override {
        return {"lcm-stylize info oil.safetensors", "lcm-stylize info oil.safetensors -m ./my-model --json"};
    }

    void declare(CLI::App& app) override {
        app.add_option("FILE", file_, "Adapter: a safetensors file, a PEFT folder or an installed name")->type_name("")->required();
        app.add_option("-m,--model", model_.model, "Prove that it fits this model: a diffusers folder or an installed model")
            ->type_name("NAME|DIR")
            ->group(cli::group::io);
        model_.declare_lenient(app);
    }

    ExitCode run(cli::Context& context) override {
        context.apply_threads();
        const auto report = look();
        print(context.common().json ? adapter_report_json(report) : adapter_report_text(report));
        return ExitCode::ok;
    }

private:
    AdapterReport look() const {
        const auto file = cli::find_adapter(file_), sha256 = cli::adapter_sha256(file);
        if (model_.model.empty()) return report_adapter(file, sha256);
        const auto bundle = model_.open();
        return report_adapter(file, sha256, bundle.name(), parameters_of(bundle));
    }

    std::string file_;
    cli::ModelOptions model_;
};

}  // namespace

int main(int argc, char** argv) { cli::run_tool<Stylize, List, Info>(argc, argv, "lcm-stylize"); }
