#pragma once

#include <string>
#include <vector>

#include "lib/stream/record.h"

namespace lcm {

/// One element of `lcm.adapters`: what is applied to a picture, by hash, so that any tool finds or refuses it.
struct AdapterEntry {
    std::string id = {};      ///< for people: the name it was asked for by
    std::string kind = {};    ///< of the list in lib/optimize/init.cc: "lora"
    std::string sha256 = {};  ///< of the adapter's files
    double weight = 1;
    std::string blocks = {};    ///< block weights (`BlockWeights`); empty: all 1
    std::string schedule = {};  ///< steps in which it works; empty: all
    std::string file = {};      ///< a hint: where it lay
    std::string rule = {};      ///< DoRA's meaning at other weights than 1 (`DoraRule`); empty: automatic
    bool text = false;          ///< the record's text was encoded with it

    bool operator==(const AdapterEntry&) const = default;
};

/// The adapters of a record, in order. @throws Error(data) naming record and key
std::vector<AdapterEntry> read_adapters(const Record& record);

/// Writes the list, or takes the key away when there are none.
void write_adapters(Record& record, const std::vector<AdapterEntry>& adapters);

/// The list as JSON with sorted keys: two lists are the same when these are.
std::string adapters_json(const std::vector<AdapterEntry>& adapters);

}  // namespace lcm
