#include "lib/image/resample.h"

#include <ATen/ops/abs.h>
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

#include "lib/core/tensor/picture.h"
#include "lib/image/resample_float.h"
#include "tests/golden/golden_picture.h"

using namespace lcm;

namespace {

const std::map<std::string, Filter> filters{{"NEAREST", Filter::nearest}, {"BOX", Filter::box},         {"BILINEAR", Filter::bilinear},
                                            {"HAMMING", Filter::hamming}, {"BICUBIC", Filter::bicubic}, {"LANCZOS", Filter::lanczos}};

/// By mode and antialias.
const std::map<std::pair<std::string, bool>, Interpolation> modes{
    {{"nearest", false}, Interpolation::nearest},
    {{"area", false}, Interpolation::area},
    {{"bilinear", false}, Interpolation::bilinear},
    {{"bicubic", false}, Interpolation::bicubic},
    {{"bilinear", true}, Interpolation::bilinear_antialias},
    {{"bicubic", true}, Interpolation::bicubic_antialias},
};

golden::Results resized(const golden::Case& one) {
    const Json& args = one.args();
    const int width = static_cast<int>(args.at("width").as_integer()), height = static_cast<int>(args.at("height").as_integer());
    const Image image = golden::picture_of(one);
    if (args.at("library").as_string() == "PIL") {
        const at::Tensor rgb = golden::bytes_of(resize(image, width, height, filters.at(args.at("filter").as_string())));
        CHECK_MESSAGE(rgb.equal(one.expected("rgb")), one.id() << ": not the same bytes");  // the case's own tolerance is wider
        return {{"rgb", rgb}};
    }
    const Interpolation mode = modes.at({args.at("mode").as_string(), args.at("antialias").as_bool()});
    const FloatImage result = resize(to_unit(image), width, height, mode);
    return {{"x", to_torch(result)}, {"u8", golden::bytes_of(to_bytes(result)).permute({2, 0, 1}).unsqueeze(0)}};
}

}  // namespace

TEST_CASE("pictures are resized as Pillow and torch do") { golden::check_group("resize", resized); }
