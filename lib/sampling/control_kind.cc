#include "lib/sampling/control_kind.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/text.h"
#include "lib/core/tensor/convert.h"
#include "lib/stream/keys.h"

// Every kind of steering network, one line each: its `ControlKind` stands in a file of its own.
#define LCM_CONTROLS(X) \
    X(controlnet)       \
    X(t2i_adapter)      \
    X(ip_adapter)

namespace lcm {

#define LCM_DECLARE(name) extern const ControlKind name##_kind;
LCM_CONTROLS(LCM_DECLARE)

namespace {

#define LCM_LIST(name) &name##_kind,
constexpr std::array kinds{LCM_CONTROLS(LCM_LIST)};

constexpr const char* encode_map = "add one with lcm-encode image --control or --control-map";
constexpr std::int64_t map_channels = 3;

}  // namespace

std::string followed_map(const Record& record, const std::string& wished) {
    if (!wished.empty()) return wished;
    std::vector<std::string> maps;
    for (const auto& [name, bytes] : record.tensors)
        if (name.starts_with(tensor::control_prefix)) maps.push_back(name.substr(tensor::control_prefix.size()));
    if (maps.size() == 1) return maps.front();
    throw Error(ExitCode::data, record.place, fmt::format("has {} control maps, so that the one to follow must be named", maps.size()),
                maps.empty() ? encode_map : "write MAP=DIR");
}

at::Tensor SteeredPicture::map(const std::string& name) const {
    const std::string full = fmt::format("{}{}", tensor::control_prefix, followed_map(record, name));
    const std::string what = fmt::format("{}: {}", record.place, full);
    const TensorBytes& bytes = record.tensor(full, encode_map);
    const bool grey = bytes.shape.size() == 3 && bytes.shape[0] == 1;
    const at::Tensor stored = to_torch(bytes);
    expect_shape(stored, {grey ? 1 : map_channels, height, width}, what);
    const at::Tensor map = bytes.dtype == Dtype::U8 ? stored.to(at::kFloat) / 255 : stored.to(at::kFloat);
    expect_finite(map, what);
    return map.expand({map_channels, height, width}).unsqueeze(0);
}

std::span<const ControlKind* const> control_kinds() { return kinds; }

const ControlKind* find_control_kind(std::string_view name) {
    const auto found = std::ranges::find(kinds, name, [](const ControlKind* kind) { return kind->name; });
    return found == kinds.end() ? nullptr : *found;
}

const ControlKind& control_kind(const std::string& name, const std::string& place) {
    if (const ControlKind* kind = find_control_kind(name)) return *kind;
    std::vector<std::string_view> names;
    for (const ControlKind* kind : kinds) names.push_back(kind->name);
    throw Error(ExitCode::data, place, fmt::format("is steered by a \"{}\", which these tools do not have", escape_control(name)),
                fmt::format("they have {}", fmt::join(names, ", ")));
}

}  // namespace lcm
