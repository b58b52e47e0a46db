#include "lib/core/weights/pack_store.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/sha256.h"
#include "lib/core/nn/packed_bytes.h"
#include "lib/core/tensor/convert.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

namespace {

constexpr std::string_view key_entry = "lcm.pack_key", sum_entry = "lcm.pack_sha256";
constexpr std::string_view layout_suffix = "|layout";
constexpr std::size_t alignment = 64;  // what oneDNN's kernels want

/// The shape of a plain weight as the file's metadata have it: "320,320,3,3".
std::string shape_text(std::span<const std::int64_t> shape) { return fmt::format("{}", fmt::join(shape, ",")); }

std::vector<std::int64_t> parse_shape(const std::string& text) {
    std::vector<std::int64_t> shape;
    std::istringstream in(text);
    for (std::string number; std::getline(in, number, ',');) shape.push_back(std::stoll(number));
    return shape;
}

/// Only a file that nobody else can have written is believed.
bool is_own(const std::string& path) {
    struct stat status;
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid() && (status.st_mode & 022) == 0;
}

/// The checksum of everything but the numbers: shapes, layouts, key.
class Description {
public:
    explicit Description(std::string_view key) { add(key); }
    void add(std::string_view text) { hash_.update(as_bytes(fmt::format("{}:", text.size()))), hash_.update(as_bytes(text)); }
    std::string hex() { return hash_.hex(); }

private:
    Sha256 hash_;
};

std::string_view text_of(std::span<const std::uint8_t> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// A tensor of the file to be.
struct Piece {
    std::string name;
    std::span<const std::byte> bytes;
};

}  // namespace

struct PackStore::State {
    std::string path, key;
    std::optional<WeightFile> file;
    std::map<std::string, at::Tensor> fresh;  ///< packed in this run

    std::optional<nn::PackedBytes> stored(const std::string& name) const;
    bool describes_itself() const;
};

/// A weight of the file, or nothing where its parts do not fit together.
std::optional<nn::PackedBytes> PackStore::State::stored(const std::string& name) const {
    const auto numbers = file->tensors().find(name), layout = file->tensors().find(name + std::string(layout_suffix));
    const auto shape = file->metadata().find(name);
    if (numbers == file->tensors().end() || layout == file->tensors().end() || shape == file->metadata().end()) return {};
    const auto bytes = file->bytes(numbers->second), description = file->bytes(layout->second);
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment != 0) return {};
    const auto* const first = reinterpret_cast<const std::uint8_t*>(description.data());
    return nn::PackedBytes{parse_shape(shape->second), scalar_type(numbers->second.dtype), {first, first + description.size()}, bytes};
}

bool PackStore::State::describes_itself() const {
    const auto said = file->metadata().find(key_entry), sum = file->metadata().find(sum_entry);
    if (said == file->metadata().end() || sum == file->metadata().end() || said->second != key) return false;
    Description description(key);
    for (const auto& [name, entry] : file->tensors()) {
        if (name.ends_with(layout_suffix)) continue;
        const auto weight = stored(name);
        if (!weight) return false;
        description.add(name), description.add(shape_text(weight->shape)), description.add(text_of(weight->layout));
        description.add(std::to_string(weight->numbers.size()));
    }
    return description.hex() == sum->second;
}

PackStore::PackStore(std::string path, std::string key) : state_(new State{std::move(path), std::move(key), {}, {}}) {
    if (!is_own(state_->path)) return;
    try {
        state_->file.emplace(state_->path);
        if (!state_->describes_itself()) state_->file.reset();
    } catch (const std::exception&) {
        state_->file.reset();  // whatever is wrong with it, a new one takes its place
    }
}

PackStore::~PackStore() = default;

bool PackStore::is_there() const { return state_->file.has_value(); }

nn::PackedWeight PackStore::find(const std::string& name) const {
    if (!state_->file || !state_->file->has(name)) return {};
    const auto weight = state_->stored(name);
    return weight ? nn::PackedWeight{nn::from_bytes(*weight), state_->file->owner()} : nn::PackedWeight{};
}

void PackStore::keep(const std::string& name, const at::Tensor& weight) {
    if (!state_->file) state_->fresh.insert_or_assign(name, weight);
}

void PackStore::write() {
    if (state_->file || state_->fresh.empty()) return;
    Header header;
    header.metadata.emplace(key_entry, state_->key);
    Description description(state_->key);
    std::vector<nn::PackedBytes> weights;
    weights.reserve(state_->fresh.size());  // the pieces point into it
    std::vector<Piece> pieces;
    const auto add = [&](const std::string& name, Dtype type, std::span<const std::byte> bytes) {
        const auto count = static_cast<std::int64_t>(bytes.size() * 8 / bits(type));
        header.tensors.push_back({name, type, {count}, header.data_bytes, header.data_bytes + bytes.size()});
        header.data_bytes += bytes.size();
        pieces.push_back({name, bytes});
    };
    // Numbers first: whole cache lines each, so that all of them stay aligned.
    for (const auto& [name, weight] : state_->fresh) {
        const nn::PackedBytes& packed = weights.emplace_back(nn::to_bytes(weight));
        if (packed.numbers.size() % alignment != 0) return;  // such a layout is not kept
        header.metadata.emplace(name, shape_text(packed.shape));
        description.add(name), description.add(shape_text(packed.shape)), description.add(text_of(packed.layout));
        description.add(std::to_string(packed.numbers.size()));
        add(name, dtype_of(packed.type), packed.numbers);
    }
    std::size_t next = 0;
    for (const auto& [name, weight] : state_->fresh)
        add(name + std::string(layout_suffix), Dtype::U8, std::as_bytes(std::span(weights[next++].layout)));
    header.metadata.emplace(sum_entry, description.hex());
    const auto sink = sink_to_file(state_->path);
    sink->write(as_bytes(frame_of(format_header(header))));
    for (const Piece& piece : pieces) sink->write(piece.bytes);
    sink->finish();
}

bool PackStore::is_possible() { return nn::has_packed_bytes(); }

}  // namespace lcm
