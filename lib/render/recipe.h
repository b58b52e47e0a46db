#pragma once

#include <string>
#include <string_view>

#include "lib/image/codec.h"
#include "lib/stream/record.h"

namespace lcm {

/// How much a picture says of itself (`--metadata`).
enum class MetadataLevel { full, params, none };

/// The recipe of a record as A1111 text and IPTC provenance as XMP (cli-contract, section 6). Depends on nothing but the record
/// and the program's version. @param provenance  state the digital source type: `lcm.source`, else made by a model
/// @param created  an ISO 8601 time, `xmp:CreateDate`; empty: none
/// @throws Error(data) when `lcm.clip_skip` is no number or `lcm.source` no word
PictureText recipe(const Record& record, MetadataLevel level, bool provenance, std::string_view created = {});

}  // namespace lcm
