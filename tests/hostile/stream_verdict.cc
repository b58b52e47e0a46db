#include <cstdio>
#include <string>
#include <string_view>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/stream/reader.h"

namespace {

std::unique_ptr<lcm::ByteSource> open_source(const std::string& path) {
    return path == "-" ? lcm::source_from_fd(0, std::string(lcm::standard_input_name), false) : lcm::source_from_file(path);
}

// 0 when the stream is good, else the exit code of a tool that reads it.
int verdict(const std::string& path, bool keep_going) {
    int failure = 0;
    try {
        lcm::RecordReader reader(open_source(path), {.keep_going = keep_going});
        while (const auto record = reader.next())
            if (record->is_error() && failure == 0) failure = static_cast<int>(lcm::upstream_error(*record).code());
    } catch (const lcm::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return static_cast<int>(error.code());
    }
    return failure;
}

}  // namespace

/// `stream-verdict [--keep-going] FILE...`: one line "CODE FILE" for each stream; "-" is standard input. The reasons go to standard error.
int main(int count, char** arguments) {
    const bool keep_going = count > 1 && std::string_view(arguments[1]) == "--keep-going";
    for (int i = keep_going ? 2 : 1; i < count; ++i) std::printf("%d %s\n", verdict(arguments[i], keep_going), arguments[i]);
    return 0;
}
