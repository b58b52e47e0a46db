// Weight files of model folders, broken one way each: every one is refused with a sentence that names the file and, where it is a tensor's
// fault, the tensor.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lib/core/bundle/bundle.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/model_folders.h"
#include "tests/unit/temporary_folder.h"

using namespace lcm;

namespace {

/// A part of the small SD 1.5 model whose weight file can be broken.
struct BrokenPart {
    explicit BrokenPart(Part which) : part(which) {
        const auto files = Bundle::open(golden_model("sd15")).weights(part);
        bytes = read_file(files.front().path());
        // A weight whose first two sides differ, so that turning it shows.
        for (const auto& [name, entry] : files.front().tensors())
            if (entry.shape.size() >= 2 && entry.shape[0] != entry.shape[1]) matrix = entry;
        REQUIRE(!matrix.name.empty());
    }

    std::string shape() const { return fmt::format("[{}]", fmt::join(matrix.shape, ",")); }
    std::string turned() const {
        auto shape = matrix.shape;
        std::swap(shape[0], shape[1]);
        return fmt::format("[{}]", fmt::join(shape, ","));
    }

    /// Replaces `from` behind the matrix's name in the header by `to`, equally long.
    void change(const std::string& from, const std::string& to) {
        const std::size_t at = bytes.find(from, bytes.find("\"" + matrix.name + "\""));
        REQUIRE(at != std::string::npos);
        REQUIRE(from.size() == to.size());
        bytes.replace(at, from.size(), to);
    }

    /// Builds the network of the broken file, which must be refused.
    void check(std::initializer_list<std::string_view> words) const {
        const TemporaryFolder folder;
        ModelFiles files;
        files.path = golden_model("sd15");
        files.parts[part] = folder / "part";
        write_file(folder / "part/config.json", read_file(golden_model("sd15") + "/" + std::string(lcm::folder(part)) + "/config.json"));
        const std::string path = write_file(folder / "part/model.safetensors", bytes);
        const auto build = [&] {
            const Bundle bundle = Bundle::open(files);
            if (part == Part::unet) bundle.unet();
            if (part == Part::vae) bundle.vae();
            if (part == Part::text_encoder) bundle.text_encoder();
        };
        check_error(ExitCode::data, {path}, build);
        check_error(ExitCode::data, words, build);
    }

    Part part;
    std::string bytes;
    TensorEntry matrix;
};

}  // namespace

TEST_CASE("each part's weight file, broken in each way") {
    for (const Part part : {Part::unet, Part::vae, Part::text_encoder}) {
        CAPTURE(folder(part));
        const BrokenPart whole(part);
        std::string other = whole.matrix.name;
        other.back() = 'X';

        BrokenPart renamed = whole, turned = whole, typed = whole, narrow = whole, moved = whole, cut = whole, longer = whole, open = whole;
        renamed.bytes.replace(renamed.bytes.find("\"" + whole.matrix.name + "\"") + 1, other.size(), other);
        renamed.check({"weight"});
        turned.change(whole.shape(), whole.turned());
        turned.check(
            {whole.matrix.name.substr(whole.matrix.name.rfind('.', whole.matrix.name.size() - 8) + 1), whole.turned(), whole.shape()});
        typed.change("\"F32\"", "\"I32\"");
        typed.check({"weight", "I32"});
        narrow.change("\"F32\"", "\"F16\"");
        narrow.check({whole.matrix.name});
        const std::string begin = fmt::format("[{},", whole.matrix.begin);
        moved.change(begin, begin.substr(0, begin.size() - 2) + (begin[begin.size() - 2] == '0' ? "1," : "0,"));
        moved.check({whole.matrix.name});
        cut.bytes.resize(cut.bytes.size() - 4);
        cut.check({"truncated"});
        longer.bytes += std::string(4, '\0');
        longer.check({"model.safetensors"});
        open.bytes[8] = '[';
        open.check({"model.safetensors"});
    }
}
