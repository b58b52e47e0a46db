// lcm-optimize: reports what a model holds and rewrites its weights. `inspect` reads headers only; `convert` changes the number type,
// `quantize` measures how to multiply in bytes.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "lib/cli/main.h"
#include "lib/cli/model_options.h"
#include "lib/cli/record_io.h"
#include "lib/optimize/convert.h"
#include "lib/optimize/inspect.h"
#include "lib/optimize/quantize.h"

namespace {

using namespace lcm;

class Inspect : public cli::Command {
public:
    std::string name() const override { return "inspect"; }
    std::string summary() const override { return "Tell a model's family, configuration, parameters and number types"; }
    std::vector<std::string> examples() const override {
        return {"lcm-optimize inspect emoji-128", "lcm-optimize inspect ./my-model --json", "lcm-optimize inspect --list"};
    }

    void declare(CLI::App& app) override {
        model_.declare_operand(app, "Model: a diffusers folder, a checkpoint or an installed model; else emoji-128");
        app.add_flag("--list", list_, "List the models that can be named without a path, and where they are")->group(cli::group::report);
    }

    ExitCode run(cli::Context& context) override {
        if (list_) {
            for (const auto& model : cli::installed_models()) print(list_line(model, context.common().json));
            return ExitCode::ok;
        }
        const auto report = inspect(model_.open());
        print(context.common().json ? report_json(report) : report_text(report));
        return ExitCode::ok;
    }

private:
    static void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

    static std::string list_line(const cli::InstalledModel& model, bool json) {
        if (json) return fmt::format("{{\"folder\":{},\"name\":{}}}\n", json_quote(model.folder), json_quote(model.name));
        return fmt::format("{}\t{}\n", escape_control(model.name), escape_control(model.folder));
    }

    cli::ModelOptions model_;
    bool list_ = false;
};

class Convert : public cli::Command {
public:
    std::string name() const override { return "convert"; }
    std::string summary() const override { return "Copy a model folder with its weights in another number type"; }
    std::vector<std::string> examples() const override { return {"lcm-optimize convert emoji-128 --dtype bf16 -o emoji-128-bf16"}; }

    void declare(CLI::App& app) override {
        app.add_option("-m,--model,MODEL", model_.model, "Model to copy: a diffusers folder or an installed model; else emoji-128")
            ->type_name("NAME|DIR")
            ->group(cli::group::io);
        model_.declare_lenient(app);
        app.add_option("-o,--output", folder_, "Folder to make")->type_name("DIR")->required()->group(cli::group::io);
        app.add_option("--dtype", dtype_, "Number type of the weights: f32, f16 or bf16")
            ->transform(
                CLI::CheckedTransformer(std::map<std::string, Dtype>{{"f32", Dtype::F32}, {"f16", Dtype::F16}, {"bf16", Dtype::BF16}}))
            ->type_name("TYPE")
            ->required()
            ->group(cli::group::generation);
        app.add_flag("-f,--force", force_, "Replace an existing model folder")->group(cli::group::io);
    }

    std::string noun() const override { return "model"; }

    std::optional<cli::Plan> plan(cli::Context& context) override {
        const auto bundle = model_.open();
        cli::OutputOptions output;
        output.path = folder_;
        output.no_clobber = !force_;
        output.expect_possible();
        return cli::Plan{context.tool(),     bundle.name(), folder_, 1, {"a copy with its weights in another number type"}, 0,
                         cli::resting_memory};
    }

    ExitCode run(cli::Context& context) override {
        const auto timed = context.meter().time(Stage::convert);
        convert(model_.open().path(), folder_, dtype_, force_ ? Existing::replace : Existing::keep, model_.files.lenient);
        return ExitCode::ok;
    }

private:
    cli::ModelOptions model_;
    std::string folder_;
    Dtype dtype_ = Dtype::F32;
    bool force_ = false;
};

class Quantize : public cli::Command {
public:
    std::string name() const override { return "quantize"; }
    std::string summary() const override { return "Copy a model folder with the products of its UNet in int8"; }
    std::vector<std::string> examples() const override {
        return {"lcm-encode text -p \"a red apple\" | lcm-optimize quantize emoji-128 --calibrate - -o emoji-128-int8",
                "lcm-denoise -m emoji-128-int8 --precision int8 words.lcms"};
    }

    void declare(CLI::App& app) override {
        app.add_option("-m,--model,MODEL", model_.model, "Model to copy: a diffusers folder or an installed model; else emoji-128")
            ->type_name("NAME|DIR")
            ->group(cli::group::io);
        app.add_option("--calibrate", records_, "Records of lcm-encode to measure the ranges of activations on")
            ->type_name("FILE|-")
            ->required()
            ->group(cli::group::io);
        app.add_option("-o,--output", folder_, "Folder to make")->type_name("DIR")->required()->group(cli::group::io);
        app.add_flag("-f,--force", force_, "Replace an existing model folder")->group(cli::group::io);
        app.add_flag("--every-layer", settings_.every_layer, "Quantize layers too that win no time, for a smaller folder")
            ->group(cli::group::generation);
        app.add_option("--steps", settings_.steps, "Steps of each picture that is drawn to measure")
            ->check(CLI::Range(1, 1000))
            ->capture_default_str()
            ->group(cli::group::generation);
    }

    std::string noun() const override { return "picture"; }

    std::optional<cli::Plan> plan(cli::Context& context) override {
        const auto bundle = model_.open();
        expect_output();
        return cli::Plan{context.tool(),     bundle.name(), folder_, 1, {"a copy with the products of its UNet in int8"}, 0,
                         cli::resting_memory};
    }

    ExitCode run(cli::Context& context) override {
        context.apply_threads();
        const auto bundle = model_.open();
        expect_output();
        const auto records = read_records();
        settings_.existing = force_ ? Existing::replace : Existing::keep;
        context.progress().begin();
        const auto working = context.begin_work();
        const auto timed = context.meter().time(Stage::convert);
        const auto report = quantize(bundle, records, folder_, settings_, context.observer());
        context.progress().rest();
        const auto text = context.common().json ? report_json(report) : report_text(report);
        std::fwrite(text.data(), 1, text.size(), stdout);
        return ExitCode::ok;
    }

private:
    void expect_output() const {
        cli::OutputOptions output;
        output.path = folder_;
        output.no_clobber = !force_;
        output.expect_possible();
    }

    std::vector<Record> read_records() const {
        cli::RecordInputOptions options;
        options.files = {records_};
        cli::RecordInput input(options);
        std::vector<Record> records;
        while (auto record = input.next())
            if (!record->is_end()) records.push_back(std::move(*record));
        return records;
    }

    cli::ModelOptions model_;
    std::string records_, folder_;
    QuantizeSettings settings_;
    bool force_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    cli::run_tool<Inspect, Convert, Quantize>(argc, argv, {"lcm-optimize", "Look into models, convert and quantize them"});
}
