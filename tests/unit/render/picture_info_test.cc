#include "lib/render/picture_info.h"

#include <doctest/doctest.h>

#include "lib/render/provenance.h"
#include "lib/stream/keys.h"
#include "lib/stream/writer.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

FileInfo info_of(std::span<const std::byte> bytes, const std::string& name) { return read_file_info(source_from_memory(bytes, name)); }

Bytes picture(ImageFormat format, const PictureText& text) {
    Bytes bytes;
    write_image(*sink_to_memory(bytes, "memory"), Image{2, 1, 3, {1, 2, 3, 4, 5, 6}}, format, text);
    return bytes;
}

Bytes stream(const std::string& prompt) {
    Record record;
    record.tensors.emplace("latent", make_tensor(Dtype::F16, {1, 2, 1}, Bytes(4)));
    record.tensors.emplace("text.ids", make_tensor(Dtype::I32, {0}, {}));
    record.set(key::kind, "latent");
    record.set(key::prompt, prompt);
    record.final = true;
    Bytes bytes;
    RecordWriter writer(sink_to_memory(bytes, "memory"));
    writer.write(record);
    writer.finish();
    return bytes;
}

}  // namespace

TEST_CASE("a picture is told by size, text and source") {
    for (const auto format : {ImageFormat::png, ImageFormat::jpeg}) {
        const std::string word = format == ImageFormat::png ? "png" : "jpeg";
        const auto info = info_of(picture(format, {"red \x1B[31m\nSteps: 4", provenance_xmp(made_by_model)}), "a." + word);
        CHECK(info_text(info) == "a." + word + ":\n  " + word + ", 2x1, 3 channels\n  parameters:\n    red \\x1B[31m\n    Steps: 4\n" +
                                     "  source: trainedAlgorithmicMedia\n");
        CHECK(info_json(info) == "{\"channels\":3,\"file\":\"a." + word + "\",\"format\":\"" + word +
                                     "\",\"height\":1,\"parameters\":\"red \\u001b[31m\\nSteps: 4\","
                                     "\"source\":\"trainedAlgorithmicMedia\",\"type\":\"picture\",\"width\":2}\n");
    }
    CHECK(info_text(info_of(picture(ImageFormat::png, {}), "b.png")) == "b.png:\n  png, 2x1, 3 channels\n");
}

TEST_CASE("a stream is told record by record") {
    const auto info = info_of(stream("a red apple"), "a.lcms");
    CHECK(info_text(info) ==
          "a.lcms:\n  record 0: latent, final\n    latent F16 [1,2,1]\n    text.ids I32 [0]\n"
          "    lcm.kind = latent\n    lcm.prompt = a red apple\n");
    CHECK(info_json(info) ==
          "{\"file\":\"a.lcms\",\"records\":[{\"final\":true,\"kind\":\"latent\","
          "\"metadata\":{\"lcm.kind\":\"latent\",\"lcm.prompt\":\"a red apple\"},"
          "\"tensors\":[{\"dtype\":\"F16\",\"name\":\"latent\",\"shape\":[1,2,1]},"
          "{\"dtype\":\"I32\",\"name\":\"text.ids\",\"shape\":[0]}]}],\"type\":\"stream\"}\n");
}

TEST_CASE("nothing that steers a terminal is printed") {
    // ESC, DEL, C1 (U+009B) and a bidirectional override (U+202E), and a letter beyond ASCII.
    const std::string hostile = "\x1B]52;c;x\x07\x7F\xC2\x9B\xE2\x80\xAE\xF0\x9F\x8D\x8E";
    const auto info = info_of(stream(hostile), "\xFF\x1B.lcms");
    const auto text = info_text(info), json = info_json(info);
    for (const char* raw : {"\x1B", "\x07", "\x7F", "\xC2\x9B", "\xE2\x80\xAE", "\xFF"}) {
        CHECK(text.find(raw) == std::string::npos);
        CHECK(json.find(raw) == std::string::npos);
    }
    CHECK(json.find("\\u001b]52;c;x\\u0007\\u007f\\u009b\\u202e\\ud83c\\udf4e") != std::string::npos);
    CHECK(json.find("\"file\":\"\\\\xFF\\\\x1B.lcms\"") != std::string::npos);
}

TEST_CASE("what is neither is refused") {
    for (const char* text : {"", "short", "no picture and no stream"})
        check_error(ExitCode::data, {}, [&] { info_of(as_bytes(text), "a"); });
    auto cut = picture(ImageFormat::png, {});
    cut.resize(cut.size() - 1);
    check_error(ExitCode::data, {"a.png", "damaged PNG"}, [&] { info_of(cut, "a.png"); });
}
