#include "lib/core/bundle/keras_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "lib/base/error.h"

namespace lcm {

namespace fs = std::filesystem;

std::map<Part, std::vector<std::string>> find_keras_parts(const std::string& folder) {
    std::set<std::string> paths;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
        if (entry.path().extension() == ".h5") paths.insert(entry.path().string());
    std::map<Part, std::vector<std::string>> parts;
    std::map<std::string, std::string> holder;  // of each first name
    for (const std::string& path : paths) {
        const WeightFile file(path);
        const std::string& first = file.tensors().begin()->first;
        if (const auto [other, is_new] = holder.emplace(first, path); !is_new)
            throw Error(ExitCode::data, path, fmt::format("holds the same network as {}", other->second),
                        "leave one of them in the folder");
        for (const Part part : {Part::text_encoder, Part::unet, Part::vae})
            if (find_layout(file, part)) parts[part].push_back(path);
    }
    return parts;
}

}  // namespace lcm
