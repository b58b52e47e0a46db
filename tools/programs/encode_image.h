#pragma once

#include "lib/cli/batch_options.h"
#include "lib/cli/command.h"
#include "lib/cli/image_options.h"
#include "lib/cli/model_options.h"

namespace lcm {

/// `lcm-encode image`: pictures as start latents, masks, control maps and features.
class EncodeImage : public cli::Command {
public:
    std::string name() const override { return "image"; }
    std::string summary() const override { return "Encode pictures to start from, to follow or to be like"; }
    std::vector<std::string> examples() const override;
    bool writes_records() const override { return true; }
    std::string noun() const override { return "picture"; }

    void declare(CLI::App& app) override;
    void check() override;
    std::optional<cli::Plan> plan(cli::Context& context) override;
    ExitCode run(cli::Context& context) override;

private:
    ImageEncoder load(cli::Context& context, const Bundle& bundle) const;

    cli::ImageOptions images_;
    cli::RecordOutputOptions output_;
    cli::ModelOptions model_;
    cli::BatchOptions batch_;
};

}  // namespace lcm
