#include "lib/stream/foreign.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/stream/comfy.h"
#include "lib/stream/keys.h"
#include "lib/stream/known_tensors.h"

namespace lcm {

namespace {

[[noreturn]] void fail(const Record& file, std::string what, std::string fix = {}) {
    throw Error(ExitCode::data, file.place, std::move(what), std::move(fix));
}

std::string_view main_tensor(std::string_view kind_of_record) {
    if (kind_of_record == kind::cond) return tensor::text_embeds;
    if (kind_of_record == kind::noise) return tensor::noise;
    return kind_of_record == kind::image ? tensor::image : tensor::latent;
}

/// The name that the kind's main tensor has in the file: its own, or any where it is the only one the format does not know.
std::string find_main(const Record& file, std::string_view main) {
    if (file.tensors.contains(main)) return std::string(main);
    std::vector<std::string> unknown, names;
    for (const auto& [name, tensor] : file.tensors) {
        if (find_known_tensor(name) == nullptr) unknown.push_back(name);
        names.push_back(json_quote(name));
    }
    if (unknown.size() == 1) return unknown.front();
    if (names.empty()) fail(file, "has no tensors");
    fail(file, fmt::format("none of the tensors {} is called \"{}\"", fmt::join(names, ", "), main),
         "give a file with one tensor, or name it so");
}

/// A tensor of the file and what it is called in a record.
struct Part {
    const std::string& stored;
    std::string_view name;
    const TensorBytes& tensor;
};

/// The elements of a tensor with one dimension more than the format says, else the tensor alone. One that the format does not know is
/// never split.
std::vector<TensorBytes> elements_of(const Record& file, const Part& part) {
    const KnownTensor* known = find_known_tensor(part.name);
    const auto& shape = part.tensor.shape;
    if (known == nullptr || !known->rank || shape.size() == *known->rank) return {part.tensor};
    if (shape.size() == *known->rank + 1 && shape.front() > 0) return split_batch(part.tensor);
    fail(file, fmt::format("tensor {}: expected {} dimensions, or a batch of such, found {}", json_quote(part.stored), *known->rank,
                           shape.size()));
}

std::vector<Record> assumed_records(const Record& file, const std::string& kind_of_record) {
    const std::string_view main = main_tensor(kind_of_record);
    const std::string stored_main = find_main(file, main);
    Record common;
    common.metadata = file.metadata;
    common.set(key::kind, kind_of_record);
    if (main == tensor::latent) {
        common.set(key::latent_space, std::string(value::scaled_space));
        common.set(key::layout, std::string(value::chw));
    }
    std::vector<Record> records(elements_of(file, {stored_main, main, file.tensor(stored_main)}).size(), common);
    for (const auto& [stored, tensor] : file.tensors) {
        const Part part{stored, stored == stored_main ? main : std::string_view(stored), tensor};
        const auto elements = elements_of(file, part);
        if (elements.size() != records.size())
            fail(file, fmt::format("tensor {}: {} for a batch of {}", json_quote(stored), elements.size(), records.size()),
                 fmt::format("give every tensor the batch of \"{}\", or leave it out", stored_main));
        for (std::size_t i = 0; i < records.size(); ++i) records[i].tensors.emplace(part.name, elements[i]);
    }
    return records;
}

}  // namespace

void refuse_plain(const RecordHead& head) {
    const auto& tensors = head.header.tensors;
    const bool comfy = std::ranges::find(tensors, comfy_tensor, &TensorEntry::name) != tensors.end();
    const char* fix = comfy ? "say that it is ComfyUI's with --from comfy" : "say what it holds with --assume kind=latent";
    throw Error(ExitCode::data, head.place, "is plain safetensors, not an lcm-stream record", fix);
}

std::vector<Record> foreign_records(const Record& file, const ReadOptions& options) {
    auto records = options.from_comfy ? comfy_records(file) : assumed_records(file, options.assume_kind);
    for (std::size_t i = 0; i < records.size(); ++i)
        records[i].place = records.size() == 1 ? file.place : fmt::format("{}: picture {}", file.place, i);
    records.back().final = true;
    return records;
}

std::vector<TensorBytes> split_batch(const TensorBytes& batch) {
    const auto count = static_cast<std::size_t>(batch.shape.front());
    const std::vector<std::int64_t> shape(batch.shape.begin() + 1, batch.shape.end());
    std::vector<TensorBytes> elements;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t bytes = batch.data.size() / count;
        elements.push_back({batch.dtype, shape, batch.data.subspan(i * bytes, bytes), batch.owner});
    }
    return elements;
}

}  // namespace lcm
