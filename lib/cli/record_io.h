#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/stream/reader.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// What `--from` and `--to` call the `.latent` files of ComfyUI.
inline constexpr const char* comfy_format = "comfy";

/// The failure of one record, behind which its feed goes on.
class RecordFailure : public Error {
public:
    /// @param id  `lcm.id` of the record, may be empty
    RecordFailure(const Error& error, std::string id) : Error(error), id_(std::move(id)) {}
    const std::string& id() const { return id_; }

private:
    std::string id_;
};

/// Records, one after the other.
class RecordFeed {
public:
    virtual ~RecordFeed() = default;
    /// The next data or end record, with `--keep-going` also an error record; nothing at the end. `final` is set where it is known.
    /// @throws RecordFailure, after which it can be called again; Error for what cannot be read
    virtual std::optional<Record> next() = 0;
    /// True when another call of `next` can bring records after an Error, because there are more inputs.
    virtual bool can_go_on() const { return false; }
};

/// Input flags of a filter: `-i` or FILE operands, in order; none or `-` is stdin; and what is checked in them.
struct RecordInputOptions {
    std::vector<std::string> files;
    ReadOptions reading;

    /// @param operands  false where the tool's operands are something else (prompts)
    void declare(CLI::App& app, bool operands = true);
    /// `--from FORMAT`, for a tool to which the flag means nothing else.
    void declare_from(CLI::App& app);
    /// @throws Error(usage) for a wrong `--assume`
    void check();

private:
    std::string nan_ = "error", assume_, from_ = "lcms";
};

/// The records of all inputs, one after the other.
class RecordInput : public RecordFeed {
public:
    /// Opens stdin where it comes first, and an only input. @throws Error(usage) when stdin is a terminal, Error(no_input)
    explicit RecordInput(const RecordInputOptions& options);

    std::optional<Record> next() override;
    bool can_go_on() const override { return position_ < names_.size(); }

private:
    void open_next();

    std::vector<std::string> names_;
    ReadOptions reading_;
    std::size_t position_ = 0;
    std::unique_ptr<RecordReader> reader_;
};

/// Opens `path` ("-" is stdin). @throws Error(usage) when stdin is a terminal, Error(no_input) naming the nearest file that is there
std::unique_ptr<ByteSource> open_source(const std::string& path);

}  // namespace lcm::cli
