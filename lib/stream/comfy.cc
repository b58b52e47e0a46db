// The format: ComfyUI's nodes SaveLatent and LoadLatent.
#include "lib/stream/comfy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/stream/foreign.h"
#include "lib/stream/header.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr double scale_without_marker = 0.18215;

/// F32 values over `divisor`.
TensorBytes divided(const TensorBytes& tensor, double divisor) {
    Bytes bytes(tensor.data.begin(), tensor.data.end());
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(float)) {
        float value = 0;
        std::memcpy(&value, &bytes[at], sizeof value);
        value = static_cast<float>(value / divisor);
        std::memcpy(&bytes[at], &value, sizeof value);
    }
    return make_tensor(Dtype::F32, tensor.shape, std::move(bytes));
}

/// What a record's latent is divided by to reach unscaled VAE space.
double divisor_of(const Record& record) {
    const std::string* space = record.find(key::latent_space);
    if (space != nullptr && *space == value::vae_space) return 1;
    const std::string& text = record.at(key::vae_scale);
    const auto scale = parse_number(text);
    if (!scale || *scale <= 0)
        throw Error(ExitCode::data, record.place, fmt::format("key \"{}\": {} is no scale", key::vae_scale, json_quote(text)));
    return *scale;
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

std::vector<Record> comfy_records(const Record& file) {
    const TensorBytes& latents = file.tensor(comfy_tensor, "it is no .latent file of ComfyUI");
    if (latents.dtype != Dtype::F32 || latents.shape.size() != 4 || latents.shape.front() < 1)
        throw Error(ExitCode::data, file.place, fmt::format("tensor \"{}\": expected F32 [B,C,H,W]", comfy_tensor));
    const bool marked = file.tensors.contains(comfy_marker);
    std::vector<Record> records;
    for (const TensorBytes& latent : split_batch(latents)) {
        Record& record = records.emplace_back();
        record.set(key::kind, std::string(kind::latent));
        record.set(key::latent_space, std::string(value::vae_space));
        record.set(key::layout, std::string(value::chw));
        record.tensors.emplace(tensor::latent, marked ? latent : divided(latent, scale_without_marker));
    }
    return records;
}

void write_comfy(ByteSink& sink, std::span<const Record> records) {
    const auto& shape = finished_latent(records.front()).shape;
    std::vector<TensorBytes> latents;
    for (const auto& record : records) {
        const auto& latent = finished_latent(record);
        if (latent.shape != shape)
            throw Error(ExitCode::data, record.place,
                        fmt::format("its latent is [{}], that of the first [{}]", fmt::join(latent.shape, ","), fmt::join(shape, ",")),
                        "write one file for each with a pattern such as -o '%04d.latent'");
        latents.push_back(divided(latent, divisor_of(record)));
    }
    Header header;
    header.tensors.push_back({.name = std::string(comfy_marker), .dtype = Dtype::F32, .shape = {0}});
    header.tensors.push_back(
        {.name = std::string(comfy_tensor), .dtype = Dtype::F32, .shape = {std::ssize(latents), shape[0], shape[1], shape[2]}});
    lay_out(header);
    sink.write(as_bytes(frame_of(format_header(header))));
    for (const auto& latent : latents) sink.write(latent.data);
}

}  // namespace lcm
