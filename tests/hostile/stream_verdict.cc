#include <cstdio>
#include <string>

#include "lib/base/bytes.h"
#include "lib/base/error.h"
#include "lib/stream/reader.h"

namespace {

std::unique_ptr<lcm::ByteSource> open_source(const std::string& path) {
    return path == "-" ? lcm::source_from_fd(0, std::string(lcm::standard_input_name), false) : lcm::source_from_file(path);
}

// 0 when the stream is good, else the exit code of a tool that reads it.
int verdict(const std::string& path) {
    try {
        lcm::RecordReader reader(open_source(path));
        while (reader.next()) {
        }
    } catch (const lcm::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return static_cast<int>(error.code());
    }
    return 0;
}

}  // namespace

/// `stream-verdict FILE...`: one line "CODE FILE" for each stream; "-" is standard input. The reasons go to standard error.
int main(int count, char** arguments) {
    for (int i = 1; i < count; ++i) std::printf("%d %s\n", verdict(arguments[i]), arguments[i]);
    return 0;
}
