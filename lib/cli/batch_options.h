#pragma once

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace lcm::cli {

/// Flags of a tool that works through many records.
struct BatchOptions {
    bool keep_going = false, skip_existing = false;
    std::uint64_t shard = 0, shards = 1;  ///< of `--shard i/n`

    void declare(CLI::App& app);
    /// @throws Error(usage) for a shard that is none
    void check();

    /// True for records of this shard: those whose number is i modulo n.
    bool takes(std::uint64_t number) const { return number % shards == shard; }

private:
    std::string shard_text_;
};

}  // namespace lcm::cli
