#include "lib/image/jpeg_codec.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs FILE
#include <new>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/image/exif.h"
#include "lib/image/picture_limits.h"

namespace lcm::jpeg {
namespace {

using namespace std::string_view_literals;

constexpr int app1 = JPEG_APP0 + 1;
constexpr std::size_t largest_segment = 65533;  // a 16-bit length that counts itself
constexpr int most_scans = 1000;                // each goes over the whole picture
constexpr auto xmp_mark = "http://ns.adobe.com/xap/1.0/\0"sv;

/// What libjpeg's callbacks see. It lives outside every function that libjpeg may leave by a jump.
struct Context {
    jpeg_error_mgr errors{};
    std::jmp_buf jump{};
    std::array<char, JMSG_LENGTH_MAX> fault{};
    jpeg_destination_mgr destination{};
    jpeg_progress_mgr progress{};
    std::array<JOCTET, 16384> buffer{};
    Bytes output;
};

Context& context_of(void* pointer) { return *static_cast<Context*>(pointer); }

[[noreturn]] void on_error(j_common_ptr codec) {
    auto& context = context_of(codec->client_data);
    codec->err->format_message(codec, context.fault.data());
    std::longjmp(context.jump, 1);
}

// A negative level is a warning of damaged data: refused, not repaired.
void on_message(j_common_ptr codec, int level) {
    if (level < 0) on_error(codec);
}

void append(j_compress_ptr codec, std::size_t count) {
    auto& context = context_of(codec->client_data);
    const auto bytes = std::as_bytes(std::span(context.buffer)).first(count);
    bool stored = true;
    try {
        context.output.insert(context.output.end(), bytes.begin(), bytes.end());
    } catch (const std::bad_alloc&) {
        stored = false;
    }
    if (!stored) ERREXIT1(codec, JERR_OUT_OF_MEMORY, 0);
    context.destination.next_output_byte = context.buffer.data();
    context.destination.free_in_buffer = context.buffer.size();
}

void on_start(j_compress_ptr codec) { append(codec, 0); }

boolean on_full(j_compress_ptr codec) {
    append(codec, context_of(codec->client_data).buffer.size());
    return TRUE;
}

void on_end(j_compress_ptr codec) {
    const auto& context = context_of(codec->client_data);
    append(codec, context.buffer.size() - context.destination.free_in_buffer);
}

void refuse_many_scans(j_common_ptr codec) {
    const auto& decoder = *reinterpret_cast<j_decompress_ptr>(codec);
    if (decoder.input_scan_number <= most_scans) return;
    auto& context = context_of(codec->client_data);
    std::snprintf(context.fault.data(), context.fault.size(), "it has more than %d scans", most_scans);
    std::longjmp(context.jump, 1);
}

/// Runs `step`; false when libjpeg reported a fault. libjpeg jumps out of `step`, so it must hold nothing that needs a destructor.
template <class Step>
bool guarded(Context& context, const Step& step) {
    if (setjmp(context.jump) != 0) return false;
    step();
    return true;
}

/// A compressor or decompressor with our error handling.
template <class Codec>
struct Session {
    Codec codec{};
    Context context;

    Session() {
        codec.err = jpeg_std_error(&context.errors);
        context.errors.error_exit = on_error;
        context.errors.emit_message = on_message;
        codec.client_data = &context;
    }
    ~Session() { jpeg_destroy(reinterpret_cast<j_common_ptr>(&codec)); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
};

std::vector<std::string> segments_of(const PictureText& text) {
    std::vector<std::string> segments;
    if (!text.parameters.empty()) segments.push_back(exif_with_comment(text.parameters));
    if (!text.xmp.empty()) segments.push_back(std::string(xmp_mark) + text.xmp);
    for (const auto& segment : segments) {
        if (segment.size() <= largest_segment) continue;
        throw Error(ExitCode::data, "picture text", fmt::format("needs {} bytes, a JPEG segment holds {}", segment.size(), largest_segment),
                    "write a PNG, or use --metadata params");
    }
    return segments;
}

void configure(j_compress_ptr codec, const Image& image, int quality) {
    codec->image_width = static_cast<JDIMENSION>(image.width);
    codec->image_height = static_cast<JDIMENSION>(image.height);
    codec->input_components = image.channels;
    codec->in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(codec);
    jpeg_set_quality(codec, quality, TRUE);
    // Colour at full resolution: flat, saturated shapes fringe when it is halved.
    codec->comp_info[0].h_samp_factor = codec->comp_info[0].v_samp_factor = 1;
}

std::string xmp_of(std::span<const std::byte> payload, const std::string& name) {
    const auto xmp = std::string_view(reinterpret_cast<const char*>(payload.data()), payload.size()).substr(xmp_mark.size());
    if (!is_utf8(xmp)) throw Error(ExitCode::data, name, "the XMP packet is no UTF-8");
    return std::string(xmp);
}

PictureText text_of(const jpeg_decompress_struct& codec, const std::string& name) {
    PictureText text;
    for (auto marker = codec.marker_list; marker != nullptr; marker = marker->next) {
        const auto payload = std::as_bytes(std::span(marker->data, marker->data_length));
        const std::string_view start(reinterpret_cast<const char*>(payload.data()), payload.size());
        if (is_exif(payload) && text.parameters.empty()) text.parameters = comment_of_exif(payload, name);
        if (start.starts_with(xmp_mark) && text.xmp.empty()) text.xmp = xmp_of(payload, name);
    }
    return text;
}

/// Of the first EXIF segment.
int orientation_of(const jpeg_decompress_struct& codec) {
    for (auto marker = codec.marker_list; marker != nullptr; marker = marker->next) {
        const auto payload = std::as_bytes(std::span(marker->data, marker->data_length));
        if (is_exif(payload)) return orientation_of_exif(payload);
    }
    return upright_orientation;
}

}  // namespace

void expect_available(const std::string&) {}

Bytes encode(const Image& image, const PictureText& text, int quality) {
    if (image.channels == 4) throw Error(ExitCode::usage, "JPEG", "cannot hold transparency", "write a PNG");
    if (quality < 1 || quality > 100) throw Error(ExitCode::usage, "JPEG quality", "must be from 1 to 100");
    const auto segments = segments_of(text);
    Session<jpeg_compress_struct> session;
    auto& [codec, context] = session;
    context.destination.init_destination = on_start;
    context.destination.empty_output_buffer = on_full;
    context.destination.term_destination = on_end;

    const auto written = guarded(context, [&] {
        jpeg_create_compress(&codec);
        codec.dest = &context.destination;
        configure(&codec, image, quality);
        jpeg_start_compress(&codec, TRUE);
        for (const auto& segment : segments)
            jpeg_write_marker(&codec, app1, reinterpret_cast<const JOCTET*>(segment.data()), static_cast<unsigned>(segment.size()));
        while (codec.next_scanline < codec.image_height) {
            auto row = const_cast<JSAMPROW>(image.row(static_cast<int>(codec.next_scanline)).data());
            jpeg_write_scanlines(&codec, &row, 1);
        }
        jpeg_finish_compress(&codec);
    });
    if (!written) throw Error(ExitCode::software, "JPEG writer", context.fault.data());
    return std::move(context.output);
}

StoredImage decode(std::span<const std::byte> file, const std::string& name) {
    Session<jpeg_decompress_struct> session;
    auto& [codec, context] = session;
    Image image;
    const auto fail = [&] { throw Error(ExitCode::data, name, std::string("is a damaged JPEG: ") + context.fault.data()); };

    const auto begun = guarded(context, [&] {
        jpeg_create_decompress(&codec);
        context.progress.progress_monitor = refuse_many_scans;
        codec.progress = &context.progress;
        jpeg_save_markers(&codec, app1, 0xFFFF);
        jpeg_mem_src(&codec, reinterpret_cast<const unsigned char*>(file.data()), file.size());
        jpeg_read_header(&codec, TRUE);
    });
    if (!begun) fail();
    const int orientation = orientation_of(codec);  // libjpeg forgets markers with the last row
    check_picture_size(codec.image_width, codec.image_height, name);
    if (codec.num_components == 4) throw Error(ExitCode::data, name, "is a CMYK picture, expected RGB or grey", "save it as RGB");
    image.width = static_cast<int>(codec.image_width);
    image.height = static_cast<int>(codec.image_height);
    const std::size_t row_bytes = static_cast<std::size_t>(image.width) * 3;

    const auto read = guarded(context, [&] {
        codec.out_color_space = JCS_RGB;
        jpeg_start_decompress(&codec);
        while (codec.output_scanline < codec.output_height) {
            image.pixels.resize(image.pixels.size() + row_bytes);  // grows with what was decoded, not with what the header claims
            JSAMPROW row = image.pixels.data() + image.pixels.size() - row_bytes;
            jpeg_read_scanlines(&codec, &row, 1);
        }
        jpeg_finish_decompress(&codec);
    });
    if (!read) fail();
    return {std::move(image), orientation};
}

PictureFile inspect(std::span<const std::byte> file, const std::string& name) {
    Session<jpeg_decompress_struct> session;
    auto& [codec, context] = session;
    const auto fail = [&](const char* fault) { throw Error(ExitCode::data, name, std::string("is a damaged JPEG: ") + fault); };

    const auto read = guarded(context, [&] {
        jpeg_create_decompress(&codec);
        jpeg_mem_src(&codec, reinterpret_cast<const unsigned char*>(file.data()), file.size());
        jpeg_save_markers(&codec, app1, 0xFFFF);
        jpeg_read_header(&codec, TRUE);
    });
    if (!read) fail(context.fault.data());
    check_picture_size(codec.image_width, codec.image_height, name);

    // Compressed data never holds FF D9, the mark of the end, so its presence is known without decoding.
    const auto rest = file.last(codec.src->bytes_in_buffer);
    constexpr std::array end_mark{std::byte{0xFF}, std::byte{0xD9}};
    if (std::ranges::search(rest, end_mark).empty()) fail("the file ends too early");
    const auto width = static_cast<int>(codec.image_width), height = static_cast<int>(codec.image_height);
    return {ImageFormat::jpeg, width, height, codec.num_components, text_of(codec, name)};
}

}  // namespace lcm::jpeg
