#pragma once

#include <string_view>

#include "lib/base/error.h"
#include "lib/stream/record.h"

namespace lcm {

/// The cause that came down the pipe in an error record; carries the upstream tool's own exit code.
class UpstreamError : public Error {
public:
    using Error::Error;
};

/// The failure that an error record tells of. @throws Error(data) when the record does not tell it properly
UpstreamError upstream_error(const Record& record);

/// True for an error record of one request, after which the stream goes on. @throws Error(data) for a scope that is none
bool is_of_one_request(const Record& error_record);

/// The record that tells of `error` down the pipe (stream-format, section 8): one line, cut where it would be too long to be read.
/// @param tool   put in front of the message, unless the failure was relayed and already names its tool
/// @param scope  `scope::stream` or `scope::record`
Record make_error_record(const Error& error, std::string_view tool, std::string_view scope);

}  // namespace lcm
