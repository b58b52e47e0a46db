#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// What all copies of a model folder have in common.
namespace lcm {

inline constexpr const char* config_name = "config.json";
inline constexpr std::uint64_t config_limit = std::uint64_t{64} << 20;  ///< bytes of a configuration

/// What comes along besides the weights: configuration, tokenizer, model card, licence. Names in sorted order.
std::vector<std::string> companions(const std::filesystem::path& folder);

/// Folders of the model's parts: those that hold a JSON file.
std::vector<std::string> part_folders(const std::filesystem::path& model);

/// A file of this text. @throws Error(io), Error(cannot_create)
void write_file(const std::filesystem::path& path, std::string_view text);

/// The file again, in bounded memory. @throws Error(io), Error(cannot_create), Stopped
void copy_whole(const std::filesystem::path& from, const std::filesystem::path& to);

/// Refuses a copy into the model itself, and the reverse. @throws Error(usage)
void expect_apart(const std::string& model_dir, const std::string& out_dir);

}  // namespace lcm
