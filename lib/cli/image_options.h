#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/cli/record_io.h"
#include "lib/input/image/image_encoder.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// Pictures to encode, and what is made of them.
struct ImageOptions {
    std::vector<std::string> pictures, masks;
    RecordInputOptions records;  ///< `-i`: records that get the picture
    std::uint64_t seed = 0;      ///< of the first picture's draw; picture k gets seed + k

    void declare(CLI::App& app);
    /// @throws Error(usage)
    void check();

    /// The settings, with the feature network where there is a model beside which it computes. @throws Error(no_input), Error(data)
    ImageSettings settings(const Bundle* bundle = nullptr) const;
    /// Pictures, masks and records.
    std::vector<std::string> files() const;
    /// The file or folder of the feature network, where one is asked for.
    std::vector<std::string> networks() const;

private:
    std::string feature_file() const;

    std::string size_, fit_, draw_ = "mode", image_encoder_;
    std::vector<std::string> drawn_maps_, given_maps_;
    bool features_ = false, init_ = false;
};

/// Records to encode, each with a picture: a fresh one for each picture, or those of `-i`, which all get the one picture.
class PictureFeed : public RecordFeed {
public:
    explicit PictureFeed(const ImageOptions& options);

    /// Reads the next picture too. @throws RecordFailure for one that cannot be decoded
    std::optional<Record> next() override;
    bool can_go_on() const override { return input_ && input_->can_go_on(); }
    /// The picture of the last record.
    const Picture& picture() const { return picture_; }

private:
    void read(std::size_t number);

    const ImageOptions& options_;
    std::optional<RecordInput> input_;
    std::size_t number_ = 0;
    Picture picture_;
    std::string id_;
};

}  // namespace lcm::cli
