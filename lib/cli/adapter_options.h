#pragma once

#include <string>
#include <vector>

#include "lib/core/adapter/adapter_entry.h"
#include "lib/core/adapter/base_adapter.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// An adapter as people name it, and how much of it.
struct AdapterRequest {
    std::string name;
    double weight = 1;
};

/// "NAME" or "NAME:WEIGHT". @param where  for errors. @throws Error(usage)
AdapterRequest parse_adapter(const std::string& text, const std::string& where);

/// `--lora` and what is said of how it is applied.
struct AdapterOptions {
    std::vector<std::string> loras;
    std::string blocks, rule = "auto";
    AdapterMode mode = AdapterMode::merge;
    bool allow_unused = false;

    /// @param runs_unet  true for the tool that can choose between merging and run time
    void declare(CLI::App& app, bool runs_unet);
    /// @throws Error(usage) for a weight that is none and for wrong block weights
    void check() const;
    /// `--lora` as entries of a record; files are found and hashed. @throws Error(usage), Error(no_input)
    std::vector<AdapterEntry> entries() const;

    /// An entry for one adapter file, with the block weights and the rule of the flags.
    AdapterEntry entry_of(const AdapterRequest& request, const std::string& file) const;
};

}  // namespace lcm::cli
