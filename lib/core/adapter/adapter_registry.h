#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/core/adapter/adapter_entry.h"
#include "lib/core/adapter/base_adapter.h"
#include "lib/core/adapter/module_names.h"

namespace lcm {

/// The model that adapters are opened for.
struct AdapterTarget {
    explicit AdapterTarget(ModelParameters model) : parameters(std::move(model)), names(parameters) {}

    ModelParameters parameters;
    ModuleNames names;
    bool allow_unused = false;  ///< go on when a file holds tensors that the model has no use for
};

/// A kind of adapter: its name in records and how one is opened. `path` is the file that the entry stands for.
struct AdapterKind {
    std::string name;
    std::function<std::shared_ptr<const BaseAdapter>(const AdapterEntry& entry, const std::string& path, const AdapterTarget& target)> open;
};

/// Kinds of adapters by name.
class AdapterRegistry {
public:
    /// @throws Error(software) when a name stands twice
    explicit AdapterRegistry(std::vector<AdapterKind> kinds);

    /// Opens an adapter of the entry's kind. @throws Error(data) for a kind that is not there, and as the kind itself
    std::shared_ptr<const BaseAdapter> open(const AdapterEntry& entry, const std::string& path, const AdapterTarget& target) const;
    /// Names in the order of the list.
    std::vector<std::string> names() const;

private:
    std::vector<AdapterKind> kinds_;
};

}  // namespace lcm
