// Stands in for png_codec.cc in a build without libpng.
#include "lib/base/error.h"
#include "lib/image/png_codec.h"

namespace lcm::png {
namespace {

[[noreturn]] void refuse(const std::string& where) {
    throw Error(ExitCode::unavailable, where, "this build has no PNG support", "build with -Dpng=enabled");
}

}  // namespace

void expect_available(const std::string& where) { refuse(where); }

Bytes encode(const Image&, const PictureText&) { refuse("picture"); }

StoredImage decode(std::span<const std::byte>, const std::string& name) { refuse(name); }

PictureFile inspect(std::span<const std::byte>, const std::string& name) { refuse(name); }

}  // namespace lcm::png
