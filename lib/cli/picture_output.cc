#include "lib/cli/picture_output.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "lib/cli/command.h"
#include "lib/render/preview.h"

namespace lcm::cli {
namespace {

constexpr int preview_columns = 64;
constexpr std::uint64_t largest_picture_file = std::uint64_t{256} << 20;

const std::map<std::string, MetadataLevel> levels{
    {"full", MetadataLevel::full}, {"params", MetadataLevel::params}, {"none", MetadataLevel::none}};

ImageFormat chosen_format(const PictureOutputOptions& options) {
    if (!options.format.empty()) return format_of("." + options.format);
    return options.path == "-" ? ImageFormat::png : format_of(options.path);
}

}  // namespace

void PictureOutputOptions::declare(CLI::App& app) {
    app.add_option("-o,--output", path, "Picture to write; %04d becomes its number, from 0, {seed} its seed, {id} its id; - is stdout")
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
    OutputOptions::declare(app);
}

PictureOutput::PictureOutput(const PictureOutputOptions& options)
    : options_(options), pattern_(options.path), format_(chosen_format(options)), level_(levels.at(options.metadata)) {
    expect_binary_output(options);
}

bool PictureOutput::has(const Record& record, std::uint64_t number) const {
    if (options_.path == "-") return false;
    const auto path = pattern_.path(number, record);
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(path, ignored)) return false;
    try {
        const auto bytes = read_all(*source_from_file(path), largest_picture_file);
        const auto text = inspect_picture(bytes, path).text;  // proves the file whole
        const auto wanted = recipe(record, level_, !options_.no_provenance);
        return text.parameters == wanted.parameters;
    } catch (const Error&) {
        return false;  // broken, or no picture: it is made again
    }
}

void PictureOutput::write(const Image& image, const Record& record, std::uint64_t number) {
    auto sink = open_sink(pattern_.take(number, record), options_);
    write_image(*sink, image, format_, recipe(record, level_, !options_.no_provenance, options_.created()), options_.quality);
    sink->finish();
    if (options_.preview == "blocks") std::fputs(half_blocks(image, preview_columns).c_str(), stderr);
}

}  // namespace lcm::cli
