#include "lib/core/weights/pack_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/sha256.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

namespace {

constexpr std::string_view key_entry = "lcm.pack_key", sum_entry = "lcm.pack_sha256";
constexpr std::size_t alignment = 64;  // what the kernels want

/// Only a file that nobody else can have written is believed.
bool is_own(const std::string& path) {
    struct stat status;
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 022) == 0;
}

/// The checksum of everything but the numbers: key, names and shapes.
std::string describe(const std::string& key, const std::vector<TensorEntry>& tensors) {
    Sha256 hash;
    const auto add = [&](std::string_view text) {
        hash.update(as_bytes(fmt::format("{}:", text.size())));
        hash.update(as_bytes(text));
    };
    add(key);
    for (const TensorEntry& tensor : tensors) add(tensor.name), add(fmt::format("{} {}", bits(tensor.dtype), fmt::join(tensor.shape, ",")));
    return hash.hex();
}

}  // namespace

struct PackStore::State {
    std::string path, key;
    std::optional<WeightFile> file;
    std::map<std::string, at::Tensor> fresh;  ///< packed in this run

    bool is_whole() const;
};

bool PackStore::State::is_whole() const {
    const auto said = file->metadata().find(key_entry), sum = file->metadata().find(sum_entry);
    if (said == file->metadata().end() || sum == file->metadata().end() || said->second != key) return false;
    std::vector<TensorEntry> tensors;
    for (const auto& [name, entry] : file->tensors()) {
        if (reinterpret_cast<std::uintptr_t>(file->bytes(entry).data()) % alignment != 0) return false;
        tensors.push_back(entry);
    }
    return describe(key, tensors) == sum->second;
}

PackStore::PackStore(std::string path, std::string key) : state_(new State{std::move(path), std::move(key), {}, {}}) {
    if (!is_own(state_->path)) return;
    try {
        state_->file.emplace(state_->path);
        if (!state_->is_whole()) state_->file.reset();
    } catch (const std::exception&) {
        state_->file.reset();  // whatever is wrong with it, a new one takes its place
    }
}

PackStore::~PackStore() = default;

bool PackStore::is_there() const { return state_->file.has_value(); }

nn::PackedWeight PackStore::find(const std::string& name) const {
    if (!state_->file || !state_->file->has(name)) return {};
    return {state_->file->view(name), state_->file->owner()};
}

void PackStore::keep(const std::string& name, const at::Tensor& weight) {
    if (!state_->file) state_->fresh.insert_or_assign(name, weight);
}

void PackStore::write() {
    if (state_->file || state_->fresh.empty()) return;
    Header header;
    for (const auto& [name, weight] : state_->fresh) {
        if (weight.nbytes() % alignment != 0) return;  // those behind it would not be aligned
        header.tensors.push_back(
            {name, dtype_of(weight.scalar_type()), weight.sizes().vec(), header.data_bytes, header.data_bytes + weight.nbytes()});
        header.data_bytes += weight.nbytes();
    }
    header.metadata.emplace(key_entry, state_->key);
    header.metadata.emplace(sum_entry, describe(state_->key, header.tensors));
    const auto sink = sink_to_file(state_->path);
    sink->write(as_bytes(frame_of(format_header(header))));
    for (const auto& [name, weight] : state_->fresh) sink->write({static_cast<const std::byte*>(weight.const_data_ptr()), weight.nbytes()});
    sink->finish();
}

}  // namespace lcm
