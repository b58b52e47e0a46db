#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/cli/control_options.h"
#include "lib/core/bundle/bundle.h"
#include "lib/sampling/control_kind.h"

namespace lcm::cli {

/// The steering networks of records, opened for one UNet; a list is kept until another is asked for.
class ControlLoader {
public:
    /// @param bundle  of that UNet
    ControlLoader(const ControlOptions& options, const Bundle& bundle);

    /// What steers a record: what it names itself, which flags may only repeat; else the flags, unless its picture is begun.
    /// @throws Error(usage) when flags contradict the record; Error(no_input) for a flag's network that is not there; Error(data)
    std::vector<ControlEntry> listed(const Record& record);
    /// @param place  of the record. @throws Error(data) when a network is not found, is broken or does not fit the UNet
    const ControlSet& open(const std::vector<ControlEntry>& entries, const std::string& place);

    /// The folders and files of the opened networks.
    const std::vector<std::string>& files() const { return files_; }

private:
    /// The flags, with the names of the maps that they mean in this record.
    std::vector<ControlEntry> asked(const Record& record);
    std::string locate(const ControlEntry& entry, const std::string& place) const;

    ControlOptions options_;
    SteeredUNet unet_;
    std::optional<std::vector<ControlEntry>> flags_;  ///< made when first needed
    ControlSet set_;
    std::vector<std::string> files_;
};

}  // namespace lcm::cli
