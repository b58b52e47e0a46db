#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "lib/base/json.h"
#include "lib/stream/record.h"

namespace lcm {

/// The elements of a list that a record has under `key`; empty without one. @param what  for messages: "adapters"
/// @throws Error(data) naming record and key for what is no list, or a longer one than records may have
Json::Array entry_list(const Record& record, std::string_view key, std::string_view what);

/// Refuses members of an element that are not in `known`. @throws Error(data)
void expect_members(const Json& entry, std::initializer_list<std::string_view> known, std::string_view what);

/// The member `sha256`. @throws Error(data) unless it has 64 hex digits
std::string entry_sha256(const Json& entry);

/// A finite number, or `fallback` where it is absent. @throws Error(data)
double entry_number(const Json& entry, std::string_view member, double fallback);

/// Writes `text` under `key`, or takes the key away when the list is empty.
void write_list(Record& record, std::string_view key, bool empty, const std::string& text);

}  // namespace lcm
