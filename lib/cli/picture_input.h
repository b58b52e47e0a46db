#pragma once

#include <optional>

#include "lib/cli/record_io.h"

namespace lcm::cli {

/// Records to draw: end records are passed over, and more than one is refused before any work when the output takes only one.
class PictureInput : public RecordFeed {
public:
    /// @param many  the output takes more than one picture
    PictureInput(const RecordInputOptions& options, bool many) : input_(options), many_(many) {}

    /// The next data or error record. @throws Error(usage) for a second record where there is room for one, Error(data) for a stream
    /// without any
    std::optional<Record> next() override;
    bool can_go_on() const override { return input_.can_go_on(); }

private:
    std::optional<Record> next_data();

    RecordInput input_;
    bool many_, started_ = false;
};

}  // namespace lcm::cli
