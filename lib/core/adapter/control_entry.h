#pragma once

#include <string>
#include <vector>

#include "lib/stream/record.h"

namespace lcm {

/// The part of a run in which something acts, as shares of its steps.
struct StepWindow {
    double start = 0, end = 1;  ///< 0 <= start < end <= 1

    /// Step `step` of `steps` acts when it lies wholly inside.
    bool holds(int step, int steps) const;
    bool operator==(const StepWindow&) const = default;
};

/// One element of `lcm.steering`: a network that steers a picture beside its text, by hash, so that any tool finds or refuses it.
struct ControlEntry {
    std::string kind = {};    ///< "controlnet", "t2i-adapter" or "ip-adapter"
    std::string map = {};     ///< it follows `control.MAP`; empty for one that follows `image.features`
    std::string sha256 = {};  ///< of its weight files in name order
    double scale = 1;
    StepWindow window = {};
    bool guess = false;     ///< it acts on the prompted half alone, weaker towards the fine end
    std::string file = {};  ///< a hint: the folder or file where it lay

    /// True when both steer alike, wherever their files lie.
    bool same(const ControlEntry& other) const;
};

/// The steering networks of a record, in order. @throws Error(data) naming record and key
std::vector<ControlEntry> read_controls(const Record& record);

/// Writes the list, or takes the key away when there are none.
void write_controls(Record& record, const std::vector<ControlEntry>& controls);

/// The list as JSON with sorted keys.
std::string controls_json(const std::vector<ControlEntry>& controls);

}  // namespace lcm
