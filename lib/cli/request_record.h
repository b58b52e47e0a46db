#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/stream/record.h"

namespace lcm::cli {

/// The members that a request may have, in the order of the manual page.
const std::vector<std::string>& request_members();

/// The record of one request, a JSON object:
///
/// {"prompt": "a red apple", "negative": "blurry", "seed": 7, "size": "512x512", "steps": 4, "guidance": 8, "sampler": "euler",
///  "adapters": ["oil:0.8"], "output": "apple"}
///
/// Only `prompt` is needed; any other member than those of `request_members()` is refused. `size` may be `width` and `height`; a seed above
/// 2^63 - 1 is written as a string; `output` (or `id`) becomes `lcm.id`. An adapter is the name of an installed one with its weight, or an
/// object with `id`, `weight`, `blocks` and `rule`; a path is none, since a request may be a stranger's.
/// @param number  of the request. @param id  set as soon as the request's name is known. @throws Error(data) naming request and member
Record request_record(const Json& request, std::size_t number, std::string& id);

}  // namespace lcm::cli
