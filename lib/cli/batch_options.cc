#include "lib/cli/batch_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/cli/command.h"

namespace lcm::cli {

void BatchOptions::declare(CLI::App& app) {
    app.add_flag("--keep-going", keep_going, "Go on after a record or an input that fails; the exit code is that of the first failure")
        ->group(group::batch);
    app.add_option("--shard", shard_text_,
                   "Take only records i, i+n, i+2n, ... of the input, 0 <= i < n; they keep their numbers and seeds")
        ->type_name("I/N")
        ->group(group::batch);
    app.add_flag("--skip-existing", skip_existing, "Leave out what an output file already holds, whole and with the right checksums")
        ->group(group::batch);
}

void BatchOptions::check() {
    if (shard_text_.empty()) return;
    const std::string_view text = shard_text_;
    const auto slash = text.find('/');
    const auto index = parse_u64(text.substr(0, slash));
    const auto count = slash == std::string_view::npos ? std::nullopt : parse_u64(text.substr(slash + 1));
    if (!index || !count || *index >= *count)
        throw Error(ExitCode::usage, "--shard", fmt::format("\"{}\" is no shard", escape_control(shard_text_)),
                    "write I/N with 0 <= I < N, such as 0/4 to 3/4");
    shard = *index;
    shards = *count;
}

}  // namespace lcm::cli
