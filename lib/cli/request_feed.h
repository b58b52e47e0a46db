#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "lib/cli/line_reader.h"
#include "lib/cli/record_io.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// `--requests` of lcm-encode.
struct RequestOptions {
    std::string path;

    void declare(CLI::App& app);
    /// @throws Error(usage) when there is neither the flag nor a subcommand
    void check() const;
    std::unique_ptr<RecordFeed> open() const;
};

/// Records from JSON lines, one request a line (`lcm-encode --requests FILE|-`, `request_record`); empty lines are skipped.
class RequestFeed : public RecordFeed {
public:
    /// @param path  a file, or "-" for stdin. @throws Error(usage), Error(no_input)
    explicit RequestFeed(const std::string& path);

    /// @throws RecordFailure naming line and key, with the request's id where it has one; Error(data) when there is no request at all
    std::optional<Record> next() override;

private:
    LineReader lines_;
    std::size_t number_ = 0;
};

}  // namespace lcm::cli
