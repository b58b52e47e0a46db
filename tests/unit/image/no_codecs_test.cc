#include <doctest/doctest.h>

#include "lib/image/codec.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

TEST_CASE("a build without libpng and libjpeg says so") {
    const Image image{1, 1, 1, {0}};
    Bytes out;
    const auto sink = sink_to_memory(out, "memory");
    const auto check = [](std::string_view format, const auto& action) {
        check_error(ExitCode::unavailable, {"this build has no " + std::string(format) + " support"}, action);
    };
    check("PNG", [] { format_of("a.png"); });
    check("PNG", [&] { write_image(*sink, image, ImageFormat::png, {}); });
    check("PNG", [] { read_png(as_bytes("\x89PNG\r\n\x1a\n"), "a"); });
    check("PNG", [] { inspect_picture(as_bytes("\x89PNG\r\n\x1a\n"), "a"); });
    check("JPEG", [] { format_of("a.jpg"); });
    check("JPEG", [&] { write_image(*sink, image, ImageFormat::jpeg, {}); });
    check("JPEG", [] { inspect_picture(as_bytes("\xFF\xD8\xFF"), "a"); });
    CHECK(out.empty());
}
