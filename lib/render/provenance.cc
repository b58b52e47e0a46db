#include "lib/render/provenance.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/stream/keys.h"

namespace lcm {
namespace {

constexpr std::string_view source_types = "http://cv.iptc.org/newscodes/digitalsourcetype/";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// An attribute with its namespace; nothing for an empty value.
std::string property(const std::string& prefix, const std::string& space, const std::string& name, const std::string& value) {
    if (value.empty()) return {};
    return " xmlns:" + prefix + "=\"" + space + "\"\n   " + prefix + ":" + name + "=\"" + value + "\"";
}

}  // namespace

std::string provenance_xmp(std::string_view term, std::string_view created) {
    if (!std::ranges::all_of(term, is_letter))
        throw Error(ExitCode::data, std::string(key::source), "is no IPTC digital source type",
                    "expected a term such as " + std::string(made_by_model));
    // The identifier is the fixed one that the XMP specification gives to every packet.
    return "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
           "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n"
           " <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n"
           "  <rdf:Description rdf:about=\"\"" +
           property("Iptc4xmpExt", "http://iptc.org/std/Iptc4xmpExt/2008-02-29/", "DigitalSourceType",
                    term.empty() ? "" : std::string(source_types).append(term)) +
           property("xmp", "http://ns.adobe.com/xap/1.0/", "CreateDate", std::string(created)) +
           "/>\n"
           " </rdf:RDF>\n"
           "</x:xmpmeta>\n"
           "<?xpacket end=\"r\"?>";
}

std::string provenance_of(std::string_view xmp) {
    const auto found = xmp.find(source_types);
    if (found == std::string_view::npos) return {};
    const auto rest = xmp.substr(found + source_types.size());
    return {rest.begin(), std::ranges::find_if_not(rest, is_letter)};
}

}  // namespace lcm
