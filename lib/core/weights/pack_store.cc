#include "lib/core/weights/pack_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/log.h"
#include "lib/base/sha256.h"
#include "lib/core/weights/pack_writer.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

namespace {

constexpr std::string_view key_entry = "lcm.pack_key", sum_entry = "lcm.pack_sha256";

/// Only a file that nobody else can have written is believed.
bool is_own(const std::string& path) {
    struct stat status;
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 022) == 0;
}

/// The checksum of everything but the numbers: key, names and shapes, in name order.
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
    std::optional<WeightFile> file = std::nullopt;
    std::optional<PackWriter> writer = std::nullopt;  ///< from the first weight that is packed
    bool cannot_write = false;

    bool is_whole() const;
};

bool PackStore::State::is_whole() const {
    const auto said = file->metadata().find(key_entry), sum = file->metadata().find(sum_entry);
    if (said == file->metadata().end() || sum == file->metadata().end() || said->second != key) return false;
    std::vector<TensorEntry> tensors;
    for (const auto& [name, entry] : file->tensors()) {
        if (reinterpret_cast<std::uintptr_t>(file->bytes(entry).data()) % PackWriter::alignment != 0) return false;
        tensors.push_back(entry);
    }
    return describe(key, tensors) == sum->second;
}

PackStore::PackStore(std::string path, std::string key) : state_(new State{.path = std::move(path), .key = std::move(key)}) {
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

nn::PackedWeight PackStore::pack(const std::string& name, const nn::Packing& packing) {
    const bool fits = static_cast<std::uint64_t>(packing.pieces() * packing.piece_bytes()) % PackWriter::alignment == 0;
    if (state_->file || state_->cannot_write || !fits) return {nn::pack(packing), nullptr};
    try {
        if (!state_->writer) state_->writer.emplace(state_->path);
        return state_->writer->pack(name, packing);
    } catch (const Error& error) {
        state_->cannot_write = true;
        state_->writer.reset();
        debug(fmt::format("packed weights are not kept: {}", error.what()));
        return {nn::pack(packing), nullptr};
    }
}

void PackStore::keep() {
    if (!state_->writer) return;
    std::vector<TensorEntry> tensors = state_->writer->tensors();
    std::ranges::sort(tensors, {}, &TensorEntry::name);
    state_->writer->finish({{std::string(key_entry), state_->key}, {std::string(sum_entry), describe(state_->key, tensors)}});
    state_->writer.reset();
}

}  // namespace lcm
