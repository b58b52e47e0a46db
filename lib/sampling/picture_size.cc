#include "lib/sampling/picture_size.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/resource_limits.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

[[noreturn]] void refuse(const Record& record, std::string_view key, const std::string& what) {
    throw Error(ExitCode::data, record.place, fmt::format("{} {}", key, what), "start the picture again from its conditioning");
}

/// A picture's size from "512x768".
PictureSize parse_size(const Record& record) {
    const std::string& text = record.at(key::size);
    const std::size_t cross = text.find('x');
    const auto width = parse_u64(std::string_view(text).substr(0, cross));
    const auto height = parse_u64(cross == std::string::npos ? std::string_view() : std::string_view(text).substr(cross + 1));
    constexpr auto limit = static_cast<std::uint64_t>(INT32_MAX);
    if (!width || !height || *width > limit || *height > limit) refuse(record, key::size, "is not WIDTHxHEIGHT");
    return {static_cast<std::int64_t>(*width), static_cast<std::int64_t>(*height)};
}

void check_size(const PictureSize& size, const LatentFormat& latent, ExitCode code, const std::string& where) {
    const std::string text = fmt::format("a picture of {} ", format_size(size));
    if (size.width < 1 || size.height < 1 || size.width % latent.factor != 0 || size.height % latent.factor != 0)
        throw Error(code, where, text + "is not possible", fmt::format("width and height must be positive multiples of {}", latent.factor));
    expect_picture_size(size.width, size.height, where + ": the picture");
}

/// The size that the record itself asks for: `lcm.size`, else that of its noise or start latent.
std::optional<PictureSize> wished_size(const Record& record, const LatentFormat& latent) {
    if (record.find(key::size)) return parse_size(record);
    for (const std::string_view name : {tensor::noise, tensor::latent_init}) {
        const auto found = record.tensors.find(name);
        if (found == record.tensors.end() || found->second.shape.size() != 3) continue;
        return PictureSize{found->second.shape[2] * latent.factor, found->second.shape[1] * latent.factor};
    }
    return std::nullopt;
}

}  // namespace

std::string format_size(const PictureSize& size) { return fmt::format("{}x{}", size.width, size.height); }

PictureSize recorded_size(const Record& record, const LatentFormat& latent) {
    const PictureSize size = parse_size(record);
    check_size(size, latent, ExitCode::data, record.place);
    return size;
}

PictureSize starting_size(const Record& record, const DenoiseRequest& request, const ModelSettings& model) {
    if (const std::optional<PictureSize> wished = wished_size(record, model.latent)) {
        expect_same("width", request.width.value_or(wished->width) == wished->width, format_size(*wished));
        expect_same("height", request.height.value_or(wished->height) == wished->height, format_size(*wished));
        check_size(*wished, model.latent, ExitCode::data, record.place);
        return *wished;
    }
    const PictureSize size{request.width.value_or(model.defaults.width), request.height.value_or(model.defaults.height)};
    check_size(size, model.latent, ExitCode::usage, "size");
    return size;
}

}  // namespace lcm
