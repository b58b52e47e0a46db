#include "lib/image/png_codec.h"

#include <png.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/image/encoding.h"
#include "lib/image/exif.h"
#include "lib/image/picture_limits.h"

namespace lcm::png {
namespace {

constexpr char parameters_keyword[] = "parameters";
constexpr png_byte exif_chunk[] = "eXIf";
constexpr char xmp_keyword[] = "XML:com.adobe.xmp";

// Run lengths after one fixed filter: decoded pictures are smooth with a little noise, where searching for longer matches costs two to
// three times the time (9 ms become 23 for 512 x 512) and gives larger files.
constexpr int compression_level = 1;
constexpr int compression_strategy = Z_RLE;
constexpr int row_filter = PNG_FILTER_PAETH;

// What reading a file may allocate inside libpng beside the picture: text, palettes, zlib's window, rows.
constexpr std::size_t memory_budget = std::size_t{16} << 20;
// Deflate's largest ratio (a 258-byte match in 2 bits); a picture larger than this cannot be in the file.
constexpr std::uint64_t largest_deflate_ratio = 1032;

/// What libpng's callbacks see. It lives outside every function that libpng may leave by a jump.
struct Context {
    std::array<char, 160> fault{};
    std::span<const std::byte> input;
    std::size_t position = 0;
    std::size_t allocated = 0;
    Bytes output;
};

Context& context_of(png_voidp pointer) { return *static_cast<Context*>(pointer); }

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
    auto& fault = context_of(png_get_error_ptr(png)).fault;
    std::snprintf(fault.data(), fault.size(), "%s", message);
    png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

png_voidp on_allocate(png_structp png, png_alloc_size_t size) {
    auto& context = context_of(png_get_mem_ptr(png));
    if (size > memory_budget - context.allocated) return nullptr;
    context.allocated += size;
    return std::malloc(size);
}

void on_free(png_structp, png_voidp memory) { std::free(memory); }

void on_read(png_structp png, png_bytep out, std::size_t size) {
    auto& context = context_of(png_get_io_ptr(png));
    if (size > context.input.size() - context.position) png_error(png, "the file ends too early");
    std::memcpy(out, context.input.data() + context.position, size);
    context.position += size;
}

void on_write(png_structp png, png_bytep data, std::size_t size) {
    auto& output = context_of(png_get_io_ptr(png)).output;
    const auto bytes = std::as_bytes(std::span(data, size));
    bool stored = true;
    try {
        output.insert(output.end(), bytes.begin(), bytes.end());
    } catch (const std::bad_alloc&) {
        stored = false;
    }
    if (!stored) png_error(png, "out of memory");
}

void on_flush(png_structp) {}

/// Runs `step`; false when libpng reported a fault. libpng jumps out of `step`, so it must hold nothing that needs a destructor.
template <class Step>
bool guarded(png_structp png, const Step& step) {
    if (setjmp(png_jmpbuf(png)) != 0) return false;
    step();
    return true;
}

/// A PNG being written.
class Writer {
public:
    Writer() {
        png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, &context_, on_error, on_warning);
        info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
        if (info_ == nullptr) {
            png_destroy_write_struct(&png_, nullptr);
            throw std::bad_alloc();
        }
    }
    ~Writer() { png_destroy_write_struct(&png_, &info_); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    Bytes write(const Image& image, std::vector<png_text> texts) {
        const auto width = static_cast<png_uint_32>(image.width), height = static_cast<png_uint_32>(image.height);
        std::vector<png_const_bytep> rows;
        for (int y = 0; y < image.height; ++y) rows.push_back(image.row(y).data());
        const auto written = guarded(png_, [&] {
            png_set_write_fn(png_, &context_, on_write, on_flush);
            png_set_user_limits(png_, max_side, max_side);
            png_set_compression_level(png_, compression_level);
            png_set_compression_strategy(png_, compression_strategy);
            png_set_filter(png_, PNG_FILTER_TYPE_BASE, row_filter);
            png_set_IHDR(png_, info_, width, height, 8, color_type(image.channels), PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                         PNG_FILTER_TYPE_DEFAULT);
            png_set_text(png_, info_, texts.data(), static_cast<int>(texts.size()));
            png_write_info(png_, info_);
            for (const auto row : rows) png_write_row(png_, row);
            png_write_end(png_, nullptr);
        });
        if (!written) throw Error(ExitCode::software, "PNG writer", context_.fault.data());
        return std::move(context_.output);
    }

private:
    static int color_type(int channels) {
        if (channels == 1) return PNG_COLOR_TYPE_GRAY;
        return channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_RGB_ALPHA;
    }

    Context context_;
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
};

/// A PNG being read, its header already known to lie within the limits.
class Reader {
public:
    Reader(std::span<const std::byte> file, const std::string& name) : name_(name) {
        context_.input = file;
        png_ = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &context_, on_error, on_warning, &context_, on_allocate, on_free);
        info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
        if (info_ == nullptr) {
            png_destroy_read_struct(&png_, nullptr, nullptr);
            throw std::bad_alloc();
        }
        try {
            run([&] { open(); });
            check_picture_size(width(), height(), name_);
        } catch (...) {
            png_destroy_read_struct(&png_, &info_, nullptr);
            throw;
        }
    }
    ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    int width() const { return static_cast<int>(png_get_image_width(png_, info_)); }
    int height() const { return static_cast<int>(png_get_image_height(png_, info_)); }
    int channels() const { return png_get_channels(png_, info_); }

    /// The picture as RGB, 8 bits.
    Image pixels() {
        const auto row_bytes = static_cast<std::size_t>(width()) * 3;
        const std::uint64_t stored_bytes = png_get_rowbytes(png_, info_) * static_cast<std::uint64_t>(height());
        if (stored_bytes / largest_deflate_ratio > context_.input.size())
            throw Error(ExitCode::data, name_, "is cut short: it is too small to hold its picture");
        Image image{width(), height(), 3, std::vector<std::uint8_t>(row_bytes * static_cast<std::size_t>(height()))};
        std::vector<png_bytep> rows;
        for (int y = 0; y < image.height; ++y) rows.push_back(image.pixels.data() + row_bytes * static_cast<std::size_t>(y));
        run([&] {
            png_set_expand(png_);
            png_set_scale_16(png_);
            png_set_gray_to_rgb(png_);
            png_set_strip_alpha(png_);
            png_set_interlace_handling(png_);
            png_read_update_info(png_, info_);
            if (png_get_rowbytes(png_, info_) != row_bytes) png_error(png_, "unknown pixel layout");
            png_read_image(png_, rows.data());
            png_read_end(png_, info_);
        });
        return image;
    }

    /// Reads all rows without keeping them, and what follows; so damage anywhere is found.
    void skip_pixels() {
        run([&] {
            for (std::uint64_t row = 0; row < stored_rows(); ++row) png_read_row(png_, nullptr, nullptr);
            png_read_end(png_, info_);
        });
    }

    /// Of the first eXIf chunk that was read.
    int orientation() const {
        png_unknown_chunkp chunks = nullptr;
        const int count = png_get_unknown_chunks(png_, info_, &chunks);
        for (const auto& chunk : std::span(chunks, static_cast<std::size_t>(count)))
            if (std::memcmp(chunk.name, exif_chunk, sizeof exif_chunk) == 0)
                return orientation_of_exif(std::as_bytes(std::span(chunk.data, chunk.size)));
        return upright_orientation;
    }

    /// The text chunk `keyword` as UTF-8, empty when there is none.
    std::string text(std::string_view keyword) const {
        png_textp texts = nullptr;
        int count = 0;
        png_get_text(png_, info_, &texts, &count);
        const auto found = std::find_if(texts, texts + count, [&](const png_text& text) { return keyword == text.key; });
        if (found == texts + count) return {};
        const bool latin1 = found->compression < PNG_ITXT_COMPRESSION_NONE;
        if (latin1) return latin1_to_utf8({found->text, found->text_length});
        const std::string_view utf8(found->text, found->itxt_length);
        if (!is_utf8(utf8)) throw Error(ExitCode::data, name_, "the text \"" + std::string(keyword) + "\" is no UTF-8");
        return std::string(utf8);
    }

private:
    void open() {
        png_set_read_fn(png_, &context_, on_read);
        png_set_user_limits(png_, max_side, max_side);
        png_set_chunk_malloc_max(png_, max_text_bytes);
        png_set_chunk_cache_max(png_, max_text_chunks);
        png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
        png_set_benign_errors(png_, 0);
        // Of the other chunks only text is read: colour profiles and the like are passed over, damaged or not.
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
        constexpr png_byte text_chunks[] = "tEXt\0zTXt\0iTXt";
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT, text_chunks, 3);
        // Kept as bytes: libpng's own reading of it would refuse the picture for a broken one.
        png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_ALWAYS, exif_chunk, 1);
        png_read_info(png_, info_);
    }

    /// Rows as they lie in the file: those of all seven passes when interlaced.
    std::uint64_t stored_rows() const {
        const auto width = png_get_image_width(png_, info_), height = png_get_image_height(png_, info_);
        if (png_get_interlace_type(png_, info_) == PNG_INTERLACE_NONE) return height;
        std::uint64_t rows = 0;
        for (int pass = 0; pass < PNG_INTERLACE_ADAM7_PASSES; ++pass)
            if (PNG_PASS_COLS(width, pass) > 0) rows += PNG_PASS_ROWS(height, pass);
        return rows;
    }

    template <class Step>
    void run(const Step& step) {
        if (!guarded(png_, step)) throw Error(ExitCode::data, name_, std::string("is a damaged PNG: ") + context_.fault.data());
    }

    Context context_;
    const std::string& name_;
    png_structp png_ = nullptr;
    png_infop info_ = nullptr;
};

png_text text_chunk(const char* keyword, std::string& text, bool latin1) {
    png_text chunk{};
    chunk.compression = latin1 ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
    chunk.key = const_cast<char*>(keyword);
    chunk.text = text.data();
    (latin1 ? chunk.text_length : chunk.itxt_length) = text.size();
    return chunk;
}

}  // namespace

void expect_available(const std::string&) {}

Bytes encode(const Image& image, const PictureText& text) {
    auto xmp = text.xmp;
    auto latin1 = utf8_to_latin1(text.parameters);
    auto parameters = latin1.value_or(text.parameters);
    if (parameters.size() + xmp.size() > max_text_bytes)
        throw Error(ExitCode::data, "picture text", "is larger than 1 MiB, the most a PNG is written with", "use --metadata params");
    std::vector<png_text> chunks;
    if (!parameters.empty()) chunks.push_back(text_chunk(parameters_keyword, parameters, latin1.has_value()));
    if (!xmp.empty()) chunks.push_back(text_chunk(xmp_keyword, xmp, false));
    return Writer().write(image, std::move(chunks));
}

StoredImage decode(std::span<const std::byte> file, const std::string& name) {
    Reader reader(file, name);
    Image image = reader.pixels();
    return {std::move(image), reader.orientation()};  // the chunk may stand behind the pixels
}

PictureFile inspect(std::span<const std::byte> file, const std::string& name) {
    Reader reader(file, name);
    reader.skip_pixels();
    const PictureText text{reader.text(parameters_keyword), reader.text(xmp_keyword)};
    return {ImageFormat::png, reader.width(), reader.height(), reader.channels(), text};
}

}  // namespace lcm::png
