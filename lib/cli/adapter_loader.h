#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/cli/adapter_options.h"
#include "lib/core/adapter/adapter_registry.h"
#include "lib/core/bundle/bundle.h"

namespace lcm::cli {

/// The adapters of records, opened for one model; a list is kept until another is asked for.
class AdapterLoader {
public:
    AdapterLoader(const Bundle& bundle, const AdapterOptions& options);

    /// The entries of a record, then `--lora`.
    std::vector<AdapterEntry> listed(const Record& record);
    /// The entries of a record, then what its prompt asks for (`<lora:name:0.8>`, which is taken out of it), then `--lora`.
    std::vector<AdapterEntry> asked(Record& record);
    /// @param place  of the record. @throws Error(data) when an adapter is not found, does not fit the model or is broken
    const AdapterSet& open(const std::vector<AdapterEntry>& entries, const std::string& place);

    /// True when one of the opened adapters changes the text encoders and the text was encoded without it.
    bool text_is_missing(const std::vector<AdapterEntry>& entries) const;
    /// Notes that the text was encoded with the opened adapters.
    void mark_text(std::vector<AdapterEntry>& entries) const;
    /// @throws Error(data) when `text_is_missing`, naming record and adapter
    void expect_text(const std::vector<AdapterEntry>& entries, const std::string& place) const;

    /// The files of the opened adapters.
    const std::vector<std::string>& files() const { return files_; }

private:
    void add_flags(std::vector<AdapterEntry>& entries);
    bool changes_text(std::size_t index) const;

    AdapterOptions options_;
    std::optional<std::vector<AdapterEntry>> flags_;  ///< made when first needed
    ModelParameters parameters_;
    std::optional<AdapterTarget> target_;  ///< made with the first adapter: without any it costs nothing
    AdapterSet set_;
    std::vector<std::string> files_;
};

}  // namespace lcm::cli
