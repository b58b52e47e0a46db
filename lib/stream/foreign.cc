#include "lib/stream/foreign.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/stream/comfy.h"
#include "lib/stream/keys.h"
#include "lib/stream/values.h"

namespace lcm {
namespace {

/// The tensor that makes a record what it is, and its rank.
struct Main {
    std::string_view name;
    std::size_t rank;
};

Main main_of(std::string_view kind_of_record) {
    if (kind_of_record == kind::cond) return {tensor::text_embeds, 2};
    if (kind_of_record == kind::noise) return {tensor::noise, 3};
    return kind_of_record == kind::image ? Main{tensor::image, 3} : Main{tensor::latent, 3};
}

std::string names_of(const Header& header) {
    std::string names;
    for (const auto& entry : header.tensors) names += (names.empty() ? "" : ", ") + json_quote(entry.name);
    return names;
}

/// The batch of a tensor that may have one dimension too many.
std::int64_t batch_of(const TensorEntry& entry, std::size_t rank, const std::string& place) {
    if (entry.shape.size() == rank) return 1;
    if (entry.shape.size() == rank + 1 && entry.shape.front() > 0) return entry.shape.front();
    throw Error(ExitCode::data, place,
                fmt::format("tensor {}: expected {} dimensions, or a batch of such, found {}", json_quote(entry.name), rank, entry.shape.size()));
}

/// Element `index` of a batch of `count`.
TensorBytes element(const TensorEntry& entry, std::span<const std::byte> data, const std::shared_ptr<const void>& owner, std::int64_t count,
                    std::int64_t index, bool batched) {
    const auto bytes = data.subspan(entry.begin, entry.end - entry.begin);
    const auto each = bytes.size() / static_cast<std::size_t>(count);
    auto shape = entry.shape;
    if (batched) shape.erase(shape.begin());
    return {entry.dtype, std::move(shape), bytes.subspan(each * static_cast<std::size_t>(index), each), owner};
}

const TensorEntry& main_entry(const Header& header, const Main& main, const std::string& place) {
    const auto named = std::ranges::find(header.tensors, main.name, &TensorEntry::name);
    if (named != header.tensors.end()) return *named;
    if (header.tensors.size() == 1) return header.tensors.front();
    throw Error(ExitCode::data, place, fmt::format("none of the tensors {} is called \"{}\"", names_of(header), main.name),
                "give a file with one tensor, or name it so");
}

}  // namespace

bool is_foreign(const Header& header) {
    const auto first = header.metadata.lower_bound(key::prefix);
    return first == header.metadata.end() || !first->first.starts_with(key::prefix);
}

std::string foreign_fix(const Header& header) {
    const bool comfy = std::ranges::find(header.tensors, comfy_tensor, &TensorEntry::name) != header.tensors.end();
    return comfy ? "say that it is ComfyUI's with --from comfy" : "say what it holds with --assume kind=latent";
}

std::vector<Record> foreign_records(const Header& header, std::span<const std::byte> data, const std::shared_ptr<const void>& owner,
                                    const ReadOptions& options, const std::string& place) {
    if (options.from_comfy) return comfy_records(header, data, place);
    const auto main = main_of(options.assume_kind);
    const auto& entry = main_entry(header, main, place);
    const auto count = batch_of(entry, main.rank, place);
    const bool batched = entry.shape.size() == main.rank + 1;
    std::vector<Record> records(static_cast<std::size_t>(count));
    for (std::int64_t index = 0; index < count; ++index) {
        auto& record = records[static_cast<std::size_t>(index)];
        record.place = count == 1 ? place : fmt::format("{}: picture {}", place, index);
        record.metadata = header.metadata;
        record.set(key::kind, options.assume_kind);
        record.tensors.emplace(main.name, element(entry, data, owner, count, index, batched));
        if (count == 1)
            for (const auto& other : header.tensors)
                if (&other != &entry) record.tensors.emplace(other.name, element(other, data, owner, 1, 0, false));
        check_values(record, options.nan_pass);
    }
    records.back().final = true;
    return records;
}

}  // namespace lcm
