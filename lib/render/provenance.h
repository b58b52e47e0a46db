#pragma once

#include <string>
#include <string_view>

namespace lcm {

/// The IPTC digital source type of a picture made by a trained model alone.
inline constexpr std::string_view made_by_model = "trainedAlgorithmicMedia";

/// An XMP packet whose `Iptc4xmpExt:DigitalSourceType` is `term` of IPTC's list, and whose `xmp:CreateDate` is `created`; either may be
/// empty, and is then left out.
/// @param created  an ISO 8601 time
/// @throws Error(data) unless `term` is one word of letters
std::string provenance_xmp(std::string_view term, std::string_view created = {});

/// The term an XMP packet states, written as attribute or element; empty when there is none.
std::string provenance_of(std::string_view xmp);

}  // namespace lcm
