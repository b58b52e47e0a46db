#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/core/adapter/dora.h"
#include "lib/core/adapter/module_names.h"
#include "lib/core/adapter/weight_delta.h"

namespace lcm {

/// What an adapter file changes in one parameter.
struct AdapterChange {
    ModuleRef module;
    std::string parameter;    ///< its full name in the network: "conv_in.weight"
    std::string tensor;       ///< a tensor of the file that makes it, for messages
    std::string_view format;  ///< name in the table of formats
    std::shared_ptr<const WeightDelta> delta;
    std::optional<double> alpha;  ///< as recorded; nothing: the rank
    std::optional<Dora> dora;
    DoraRule dora_rule = DoraRule::linear;  ///< that of the library which wrote the file
};

/// An adapter file of the LoRA family, whatever its dialect, in one form.
struct AdapterFile {
    std::string path;                    ///< of the safetensors file
    std::vector<AdapterChange> changes;  ///< in order of the parameters' names
    std::vector<std::string> unused;     ///< tensors that no module of the model answers to
};

/// The safetensors file of an adapter: `path` itself, or `adapter_model.safetensors` in a folder as PEFT writes it.
/// @throws Error(no_input), Error(refused) for pickles
std::string adapter_weights(const std::string& path);

/// The files that decide what an adapter does: the safetensors file and PEFT's configuration where it is read.
std::vector<std::string> adapter_files(const std::string& path);

/// Reads names and shapes; values stay in the mapped file.
/// @throws Error(no_input), Error(data) naming file and tensor, Error(refused) for pickles
AdapterFile open_adapter_file(const std::string& path, const ModuleNames& names);

/// Refuses what was not made for this model: a change of another shape than its parameter, then tensors that are not used.
/// @param allow_unused  warn of unused tensors instead, unless there is nothing else
/// @throws Error(data) naming file, tensor, both shapes and what to change
void expect_made_for(const AdapterFile& file, const ModelParameters& parameters, bool allow_unused);

}  // namespace lcm
