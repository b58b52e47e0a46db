#include "lib/input/text/textual_inversion.h"

#include <fmt/format.h>

#include <cctype>

#include "lib/base/error.h"
#include "lib/core/tensor/convert.h"

namespace lcm {
namespace {

constexpr std::string_view mark = "embedding:";  // how ComfyUI writes a name

std::int64_t width_of(const Bundle& bundle, Part part) { return CLIPTextConfig::from_json(bundle.config(part)).hidden_size; }

/// The tensor as [n,D] F32, of the width that the text encoder takes.
at::Tensor vectors(const WeightFile& file, const std::string& tensor, const Bundle& bundle, Part part) {
    const std::string place = tensor_place(file.path(), tensor);
    const TensorEntry& entry = file.tensors().find(tensor)->second;
    if (!is_weight_type(entry.dtype))
        throw Error(ExitCode::data, place, fmt::format("vectors of dtype {} are not read", name(entry.dtype)),
                    "store it as F32, F16 or BF16");
    at::Tensor value = file.view(tensor).to(at::kFloat);
    if (value.dim() == 1) value = value.unsqueeze(0);
    const std::int64_t width = width_of(bundle, part);
    if (value.dim() != 2 || value.size(0) < 1 || value.size(1) != width) {
        throw Error(ExitCode::data, place,
                    fmt::format("it holds no vectors of width {}, which the {} of model {} takes", width, folder(part), bundle.name()),
                    "use an embedding made for this family of models");
    }
    expect_finite(value, place);
    return value;
}

bool in_word(char sign) { return std::isalnum(static_cast<unsigned char>(sign)) != 0 || sign == '_' || sign < 0; }

/// A name that stands at `at`, with the mark before it where there is one: its length, or 0.
std::size_t length_at(std::string_view text, std::size_t at, const std::string& name) {
    std::size_t begin = at;
    if (text.substr(at).starts_with(mark)) begin += mark.size();
    const std::size_t end = begin + name.size();
    if (!text.substr(begin).starts_with(name)) return 0;
    const bool starts = at == 0 || !in_word(text[at - 1]) || !in_word(text[at]);
    const bool ends = end == text.size() || !in_word(text[end]) || !in_word(text[end - 1]);
    return starts && ends ? end - at : 0;
}

}  // namespace

TextualInversion read_textual_inversion(const std::string& name, const std::string& path, const Bundle& bundle) {
    const WeightFile file(path);
    TextualInversion inversion{name, {}};
    const bool xl = bundle.has(Part::text_encoder_2);
    if (file.has("clip_l") || file.has("clip_g")) {
        if (!xl)
            throw Error(ExitCode::data, path,
                        fmt::format("holds vectors for two text encoders (clip_l, clip_g), model {} has one", bundle.name()),
                        "use an embedding made for this family of models");
        for (const auto& [tensor, part] : {std::pair("clip_l", Part::text_encoder), std::pair("clip_g", Part::text_encoder_2)}) {
            if (!file.has(tensor))
                throw Error(ExitCode::data, tensor_place(path, tensor), "the tensor is missing", "use an embedding made for SDXL");
            inversion.vectors.emplace(part, vectors(file, tensor, bundle, part));
        }
        const std::int64_t first = inversion.vectors.at(Part::text_encoder).size(0),
                           second = inversion.vectors.at(Part::text_encoder_2).size(0);
        if (first != second)
            throw Error(ExitCode::data, tensor_place(path, "clip_g"), fmt::format("it holds {} vectors, clip_l holds {}", second, first));
        return inversion;
    }
    if (xl)
        throw Error(ExitCode::data, path, fmt::format("holds vectors for one text encoder, model {} has two", bundle.name()),
                    "use an embedding made for SDXL, with clip_l and clip_g");
    const bool single = file.tensors().size() == 1;
    if (!single && !file.has("emb_params")) {
        throw Error(ExitCode::data, path,
                    fmt::format("holds {} tensors and none of them is emb_params: it is no embedding", file.tensors().size()),
                    "use a textual inversion in safetensors form");
    }
    const std::string tensor = file.has("emb_params") ? "emb_params" : file.tensors().begin()->first;
    inversion.vectors.emplace(Part::text_encoder, vectors(file, tensor, bundle, Part::text_encoder));
    return inversion;
}

std::vector<NamedStretch> split_at_names(std::string_view text, const std::vector<TextualInversion>& inversions) {
    std::vector<NamedStretch> stretches;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size() && !inversions.empty();) {
        const TextualInversion* found = nullptr;
        std::size_t longest = 0;
        for (const TextualInversion& one : inversions) {
            const std::size_t length = length_at(text, at, one.name);
            if (length <= longest) continue;
            longest = length;
            found = &one;
        }
        if (found == nullptr) {
            ++at;
            continue;
        }
        if (at > begin) stretches.push_back({text.substr(begin, at - begin)});
        stretches.push_back({text.substr(at, longest), found});
        at += longest;
        begin = at;
    }
    if (begin < text.size() || stretches.empty()) stretches.push_back({text.substr(begin)});
    return stretches;
}

}  // namespace lcm
