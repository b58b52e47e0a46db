#include <ATen/ops/equal.h>
#include <doctest/doctest.h>

#include "lib/core/bundle/bundle.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/ramp.h"
#include "tests/unit/stored_tensors.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

/// The small TAESD with the names of its own code: `encoder` and `decoder` stand before the numbers, "-" leaves a half out. There the
/// decoder's list begins with a layer that diffusers does not count.
std::string original_file(const std::string& path, const std::string& encoder, const std::string& decoder) {
    const WeightFile file(golden_model("taesd") + "/diffusion_pytorch_model.safetensors");
    return write_file(path, renamed_file(file, [&](const std::string& name) -> std::string {
                          const std::string half = name.substr(0, 15), rest = name.substr(15);  // "encoder.layers."
                          const bool encodes = half == "encoder.layers.";
                          const std::string& before = encodes ? encoder : decoder;
                          if (before == "-") return {};
                          const std::size_t dot = rest.find('.');
                          return before + std::to_string(std::stoi(rest.substr(0, dot)) + (encodes ? 0 : 1)) + rest.substr(dot);
                      }));
}

Bundle with_vae(const std::string& file) {
    ModelFiles files;
    files.path = golden_model("sd15");
    files.parts[Part::vae] = file;
    return Bundle::open(files);
}

}  // namespace

TEST_CASE("TAESD in the names of its own code gives the same bytes as from the folder") {
    const TemporaryFolder folder;
    const auto whole = with_vae(golden_model("taesd")).vae();
    const at::Tensor pixels = ramp({1, 3, 16, 16}), latents = ramp({1, 4, 2, 2}), want = whole->encode(pixels).mean;
    for (const auto& [encoder, decoder] :
         {std::pair("encoder.", "decoder."), std::pair("taesd_encoder.", "taesd_decoder."), std::pair("", "-"), std::pair("-", ""),
          std::pair("taesd_encoder.", "-"), std::pair("encoder.", "-")}) {
        INFO("names ", std::string(encoder), " and ", std::string(decoder));
        const std::string file = original_file(folder / "tiny.safetensors", encoder, decoder);
        const Bundle bundle = with_vae(file);
        const auto vae = bundle.vae();
        CHECK(bundle.latent_format().scaling_factor == 1);
        CHECK(bundle.latent_format().factor == 8);
        CHECK(vae->halves().encoder == (std::string(encoder) != "-"));
        CHECK(vae->halves().decoder == (std::string(decoder) != "-"));
        if (vae->halves().encoder) CHECK(at::equal(vae->encode(pixels).mean, want));
        if (vae->halves().decoder) CHECK(at::equal(vae->decode(latents), whole->decode(latents)));
    }
}

TEST_CASE("a half of a VAE refuses what the other one does") {
    const TemporaryFolder folder;
    const std::string decoder = original_file(folder / "decoder.safetensors", "-", "");
    const std::string encoder = original_file(folder / "encoder.safetensors", "", "-");
    check_error(
        ExitCode::no_input, {decoder, "decoder of a VAE alone", "--vae"}, [&] { with_vae(decoder).vae(VAEUse::encode); });
    check_error(
        ExitCode::no_input, {encoder, "encoder of a VAE alone", "--vae"}, [&] { with_vae(encoder).vae(VAEUse::decode); });
    check_error(
        ExitCode::no_input, {"no encoder"},
        [&] {
            with_vae(decoder).vae()->encode(ramp({1, 3, 16, 16}));
        });
    check_error(ExitCode::no_input, {"no decoder"}, [&] { with_vae(encoder).vae()->decode(ramp({1, 4, 2, 2})); });
}

TEST_CASE("half an AutoencoderKL serves alone, in its own names and in those of diffusers") {
    const TemporaryFolder folder;
    const std::string path = golden_model("sd15") + "/vae/";
    const auto whole = Bundle::open(golden_model("sd15")).vae();
    const auto half = [&](const std::string& one, const std::string& conv) {
        const WeightFile file(path + "diffusion_pytorch_model.safetensors");
        write_file(folder / "vae/model.safetensors", renamed_file(file, [&](const std::string& name) {
                       return name.starts_with(one) || name.starts_with(conv) ? name : std::string();
                   }));
        write_file(folder / "vae/config.json", read_file(path + "config.json"));
        return with_vae(folder / "vae").vae();
    };
    CHECK(at::equal(half("decoder.", "post_quant_conv.")->decode(ramp({1, 4, 2, 2})), whole->decode(ramp({1, 4, 2, 2}))));
    CHECK(at::equal(half("encoder.", "quant_conv.")->encode(ramp({1, 3, 16, 16})).mean, whole->encode(ramp({1, 3, 16, 16})).mean));
}

TEST_CASE("broken files of TAESD name file and tensor") {
    const TemporaryFolder folder;
    const std::string good = original_file(folder / "decoder.safetensors", "-", "");
    const auto refused = [&](const std::string& from, const std::string& to, std::initializer_list<std::string_view> says) {
        std::string bytes = read_file(good);
        const std::size_t at = bytes.find(from);
        REQUIRE(at != std::string::npos);
        REQUIRE(from.size() == to.size());
        const std::string file = write_file(folder / "broken.safetensors", bytes.replace(at, from.size(), to));
        check_error(ExitCode::data, {file}, [&] { with_vae(file).vae(); });
        check_error(ExitCode::data, says, [&] { with_vae(file).vae(); });
    };
    refused("\"3.conv.0.weight\"", "\"3.conv.9.weight\"", {"3.conv.0.weight", "missing"});
    refused("\"3.conv.2.bias\"", "\"93.conv.2.bia\"", {"3.conv.2.bias", "missing"});
    refused("\"19.weight\"", "\"29.weight\"", {"19.weight", "missing"});
    refused("\"1.weight\"", "\"0.weight\"", {"no vae"});
    refused("\"1.bias\"", "\"1.bios\"", {"1.bias", "missing"});
}
