#pragma once

#include <string>
#include <vector>

#include "lib/core/adapter/adapter_entry.h"

namespace lcm::cli {

/// An adapter that can be named without a path.
struct InstalledAdapter {
    std::string name, file;
};

/// The adapters of `model_path()`: files `NAME.safetensors` with the tensors of an adapter, and folders as PEFT writes them; sorted by
/// name, of two with one name the first counts.
std::vector<InstalledAdapter> installed_adapters();

/// The file of an installed adapter; empty when there is none of that name. A name holds no slash.
std::string installed_adapter(const std::string& name);

/// The adapter that a user named: a file, a PEFT folder, or an installed one. @throws Error(no_input) with the nearest name
std::string find_adapter(const std::string& name);

/// The same for a name that a stranger wrote into a prompt: only an installed one is taken. @throws Error(data) naming the record
std::string find_installed_adapter(const std::string& name, const std::string& place);

/// SHA-256 of what decides the adapter in `file`; remembered as those of models are. @throws Error(no_input) for what is no regular file
std::string adapter_sha256(const std::string& file);

/// The file of a record's entry: an installed adapter of its name, one of `given`, or the file that it hints at, where its SHA-256 is the
/// recorded one. @param place  of the record. @throws Error(data) when none is
std::string locate_adapter(const AdapterEntry& entry, const std::vector<std::string>& given, const std::string& place);

}  // namespace lcm::cli
