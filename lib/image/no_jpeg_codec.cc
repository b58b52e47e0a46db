// Stands in for jpeg_codec.cc in a build without libjpeg.
#include "lib/base/error.h"
#include "lib/image/jpeg_codec.h"

namespace lcm::jpeg {
namespace {

[[noreturn]] void refuse(const std::string& where) {
    throw Error(ExitCode::unavailable, where, "this build has no JPEG support", "build with -Djpeg=enabled");
}

}  // namespace

void expect_available(const std::string& where) { refuse(where); }

Bytes encode(const Image&, const PictureText&, int) { refuse("picture"); }

StoredImage decode(std::span<const std::byte>, const std::string& name) { refuse(name); }

PictureFile inspect(std::span<const std::byte>, const std::string& name) { refuse(name); }

}  // namespace lcm::jpeg
