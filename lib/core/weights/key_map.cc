#include "lib/core/weights/key_map.h"

#include <array>
#include <string_view>
#include <utility>

namespace lcm {

std::string vae_key(const std::string& name) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> renamed{{
        {".query.", ".to_q."},
        {".key.", ".to_k."},
        {".value.", ".to_v."},
        {".proj_attn.", ".to_out.0."},
    }};
    for (const auto& [old, current] : renamed) {
        const std::size_t at = name.find(old);
        if (at == std::string::npos) continue;
        return std::string(name).replace(at, old.size(), current);
    }
    return name;
}

std::string text_encoder_key(const std::string& name) {
    constexpr std::string_view prefix = "text_model.";
    std::string key = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
    return key == "embeddings.position_ids" ? std::string() : key;
}

}  // namespace lcm
