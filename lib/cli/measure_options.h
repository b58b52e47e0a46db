#pragma once

#include <memory>
#include <string>

#include "lib/base/bytes.h"
#include "lib/base/error.h"

namespace CLI {
class App;
}

namespace lcm {
class Meter;
}

namespace lcm::cli {

/// Flags of every command: what is told about a run after it.
class MeasureOptions {
public:
    void declare(CLI::App& app);

    /// Before the work: opens the files, so that a wrong name is told at once. @throws Error(cannot_create)
    void apply(Meter& meter);
    /// After the work, also after a failed one: prints and writes what was asked for, once. Nothing happens without `apply`. @throws
    /// Error(io), Error(cannot_create)
    void finish(Meter& meter, ExitCode code);

private:
    bool stats_ = false, asked_ = false;
    std::string metrics_, trace_;
    std::unique_ptr<ByteSink> metrics_sink_;
};

}  // namespace lcm::cli
