#include "lib/cli/picture_output.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "lib/cli/command.h"
#include "lib/cli/record_io.h"
#include "lib/render/preview.h"

namespace lcm::cli {
namespace {

constexpr int preview_columns = 64;

const std::map<std::string, MetadataLevel> levels{
    {"full", MetadataLevel::full}, {"params", MetadataLevel::params}, {"none", MetadataLevel::none}};

ImageFormat chosen_format(const PictureOutputOptions& options) {
    if (!options.format.empty()) return format_of("." + options.format);
    return options.path == "-" ? ImageFormat::png : format_of(options.path);
}

}  // namespace

void PictureOutputOptions::declare(CLI::App& app) {
    app.add_option("-o,--output", path, "Picture to write; %04d becomes the number of the picture, from 0; - is stdout")
        ->type_name("FILE")
        ->capture_default_str()
        ->group(group::io);
    app.add_option("--format", format, "png or jpeg; else by the file name's ending")
        ->check(CLI::IsMember({"png", "jpeg", "jpg"}))
        ->type_name("FORMAT")
        ->group(group::io);
    app.add_option("--quality", quality, "JPEG quality, 1 to 100")
        ->check(CLI::Range(1, 100))
        ->type_name("N")
        ->capture_default_str()
        ->group(group::io);
    app.add_option("--metadata", metadata, "Recipe in the picture: full, params (without prompts) or none")
        ->check(CLI::IsMember({"full", "params", "none"}))
        ->type_name("LEVEL")
        ->capture_default_str()
        ->group(group::io);
    app.add_flag("--no-provenance", no_provenance, "Leave out the mark that the picture was made by a model")->group(group::io);
    app.add_option("--preview", preview, "Show each picture on stderr as half blocks in 24-bit colour: blocks or none")
        ->check(CLI::IsMember({"blocks", "none"}))
        ->type_name("FORM")
        ->capture_default_str()
        ->group(group::io);
    declare_overwrite(app, force, no_clobber);
}

PictureOutput::PictureOutput(const PictureOutputOptions& options)
    : options_(options), pattern_(options.path), format_(chosen_format(options)), level_(levels.at(options.metadata)) {
    expect_binary_output(options.path, options.force);
}

void PictureOutput::write(const Image& image, const Record& record) {
    auto sink = open_sink(pattern_.path(number_++), options_.force, options_.no_clobber);
    write_image(*sink, image, format_, recipe(record, level_, !options_.no_provenance), options_.quality);
    sink->finish();
    if (options_.preview == "blocks") std::fputs(half_blocks(image, preview_columns).c_str(), stderr);
}

}  // namespace lcm::cli
