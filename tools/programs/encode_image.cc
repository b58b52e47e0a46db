#include "tools/programs/encode_image.h"

#include <algorithm>

#include "lib/cli/record_loop.h"
#include "lib/core/bundle/cost.h"

namespace lcm {

std::vector<std::string> EncodeImage::examples() const {
    return {"lcm-encode image photo.png | lcm-encode text -i - -p \"a watercolour\" | lcm-denoise --strength 0.6 | lcm-render -o out.png",
            "lcm-encode image photo.png --mask hole.png --size 512x512 -o start.lcms",
            "lcm-encode text \"a red house\" | lcm-encode image -i - --control canny photo.png -o steered.lcms"};
}

void EncodeImage::declare(CLI::App& app) {
    images_.declare(app);
    output_.declare(app);
    model_.declare(app, {Part::vae});
    batch_.declare(app);
}

void EncodeImage::check() {
    images_.records.reading.keep_going = batch_.keep_going;
    images_.check();
    output_.check();
    batch_.check();
}

std::optional<cli::Plan> EncodeImage::plan(cli::Context& context) {
    context.apply_threads();
    output_.expect_possible();
    const auto bundle = model_.open();
    const auto settings = images_.settings();
    const auto factor = bundle.latent_format().factor;
    cli::Plan plan{context.tool(), bundle.name(), output_.path, 0, {}, 0, cli::resting_memory};
    cli::PictureFeed feed(images_);
    while (const auto record = feed.next()) {
        if (record->is_end() || !batch_.takes(plan.records)) continue;
        ++plan.records;
        const auto size = encoded_size(feed.picture(), *record, settings, factor);
        if (!settings.latent) continue;
        const auto cost = cost_of(bundle, Part::vae, size.height / factor, size.width / factor);
        plan.operations += cost.operations;
        plan.memory = std::max(plan.memory, cli::resting_memory + cost.weight_bytes + cost.working_bytes);
    }
    return plan;
}

ExitCode EncodeImage::run(cli::Context& context) {
    context.apply_threads();
    if (batch_.skip_existing && output_.is_there()) return ExitCode::ok;
    auto& output = context.open_output(output_);
    cli::PictureFeed feed(images_);
    const auto bundle = model_.open();
    context.dependencies().add_model(bundle.path());
    for (const auto& file : images_.files()) context.dependencies().add(file);
    for (const auto& path : images_.networks()) {
        context.dependencies().add_model(path);
        context.dependencies().add(path);
    }
    auto encoder = load(context, bundle);
    const auto code = cli::for_each_record(context, feed, batch_, [&](Record& record, std::uint64_t number) {
        if (batch_.skip_existing && output.has(record, number)) return;
        {
            const auto timed = context.meter().time(Stage::encode);
            Picture picture = feed.picture();
            picture.seed = images_.seed + number;
            encoder.set_picture(std::move(picture));
            encoder.enrich(record);
        }
        context.add_history(record);
        context.write(std::move(record), number);
    });
    output.finish();
    context.write_dependencies(output_);
    return code;
}

ImageEncoder EncodeImage::load(cli::Context& context, const Bundle& bundle) const {
    const auto timed = context.meter().time(Stage::load);
    return ImageEncoder(bundle, images_.settings(&bundle));
}

}  // namespace lcm
