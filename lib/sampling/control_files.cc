#include "lib/sampling/control_files.h"

#include <filesystem>

#include "lib/base/error.h"
#include "lib/core/bundle/part_hash.h"
#include "lib/core/bundle/weight_files.h"

namespace lcm {
namespace fs = std::filesystem;

std::vector<std::string> control_files(const std::string& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return find_weight_files(path);
    if (fs::is_regular_file(path, ignored)) return {path};
    throw Error(ExitCode::no_input, path, fs::exists(path, ignored) ? "is no folder and no regular file" : "no such folder or file",
                "give the folder or file of the network");
}

std::string control_sha256(const std::string& path) {
    std::error_code ignored;
    const std::vector<std::string> files = control_files(path);
    for (const std::string& file : files)
        if (!fs::is_regular_file(file, ignored)) throw Error(ExitCode::no_input, file, "is no regular file", "give a safetensors file");
    return hash_files(files);
}

}  // namespace lcm
