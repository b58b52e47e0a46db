// The format: ComfyUI's nodes SaveLatent and LoadLatent.
#include "lib/stream/comfy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/stream/keys.h"
#include "lib/stream/marks.h"
#include "lib/stream/values.h"

namespace lcm {
namespace {

constexpr double scale_without_marker = 0.18215;

/// F32 values times `factor`.
TensorBytes scaled(std::span<const std::byte> data, std::vector<std::int64_t> shape, double factor) {
    Bytes bytes(data.begin(), data.end());
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(float)) {
        float value = 0;
        std::memcpy(&value, &bytes[at], sizeof value);
        value = static_cast<float>(value * factor);
        std::memcpy(&bytes[at], &value, sizeof value);
    }
    return make_tensor(Dtype::F32, std::move(shape), std::move(bytes));
}

/// What brings a record's latent into unscaled VAE space.
double factor_of(const Record& record) {
    const auto* space = record.find(key::latent_space);
    if (space != nullptr && *space == "vae") return 1;
    const auto scale = parse_number(record.at(key::vae_scale));
    if (!scale || *scale == 0) throw Error(ExitCode::data, record.place, fmt::format("key \"{}\" is no scale", key::vae_scale));
    return 1 / *scale;
}

const TensorBytes& finished_latent(const Record& record) {
    const auto& latent = record.tensor(tensor::latent, "finish it with lcm-denoise");
    if (record.tensors.contains(tensor::latent_denoised))
        throw Error(ExitCode::data, record.place, "is unfinished, and ComfyUI has no place for its state", "finish it with lcm-denoise");
    if (latent.dtype != Dtype::F32 || latent.shape.size() != 3)
        throw Error(ExitCode::data, record.place, fmt::format("tensor \"{}\": expected F32 [C,h,w]", tensor::latent));
    return latent;
}

}  // namespace

std::vector<Record> comfy_records(const Header& header, std::span<const std::byte> data, const std::string& place) {
    const auto entry = std::ranges::find(header.tensors, comfy_tensor, &TensorEntry::name);
    if (entry == header.tensors.end())
        throw Error(ExitCode::data, place, fmt::format("has no tensor \"{}\"", comfy_tensor), "it is no .latent file of ComfyUI");
    if (entry->dtype != Dtype::F32 || entry->shape.size() != 4 || entry->shape.front() < 1)
        throw Error(ExitCode::data, place, fmt::format("tensor \"{}\": expected F32 [B,C,H,W]", comfy_tensor));
    const bool marked = std::ranges::find(header.tensors, comfy_marker, &TensorEntry::name) != header.tensors.end();
    const auto count = static_cast<std::size_t>(entry->shape.front());
    const auto each = (entry->end - entry->begin) / count;
    std::vector<Record> records(count);
    for (std::size_t index = 0; index < count; ++index) {
        auto& record = records[index];
        record.place = count == 1 ? place : fmt::format("{}: picture {}", place, index);
        record.set(key::kind, std::string(kind::latent));
        record.set(key::latent_space, "vae");
        record.set(key::layout, "CHW");
        record.tensors.emplace(tensor::latent, scaled(data.subspan(entry->begin + index * each, each),
                                                      {entry->shape.begin() + 1, entry->shape.end()}, marked ? 1 : 1 / scale_without_marker));
        check_values(record);
    }
    records.back().final = true;
    return records;
}

void write_comfy(ByteSink& sink, std::span<const Record> records) {
    const auto& shape = finished_latent(records.front()).shape;
    std::vector<TensorBytes> latents;
    for (const auto& record : records) {
        const auto& latent = finished_latent(record);
        if (latent.shape != shape)
            throw Error(ExitCode::data, record.place, fmt::format("its latent is {}, that of the first {}", latent.shape, shape),
                        "write one file for each with a pattern such as -o '%04d.latent'");
        latents.push_back(scaled(latent.data, latent.shape, factor_of(record)));
    }
    Header header;
    header.tensors.push_back({.name = std::string(comfy_marker), .dtype = Dtype::F32, .shape = {0}});
    header.tensors.push_back({.name = std::string(comfy_tensor), .dtype = Dtype::F32, .shape = {std::ssize(latents), shape[0], shape[1], shape[2]}});
    lay_out(header);
    const auto text = format_header(header);
    sink.write(as_bytes(length_bytes(text)));
    sink.write(as_bytes(text));
    for (const auto& latent : latents) sink.write(latent.data);
}

}  // namespace lcm
