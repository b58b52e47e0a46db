#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "lib/base/bytes.h"
#include "lib/image/codec.h"
#include "lib/stream/dtype.h"

namespace lcm {

/// A tensor of a record, without its bytes.
struct TensorInfo {
    std::string name;
    Dtype dtype = Dtype::F32;
    std::vector<std::int64_t> shape;
};

/// A record of a stream, without its bytes.
struct RecordInfo {
    std::string kind;  ///< `lcm.kind`; "end" for an end record, empty when the record names none
    bool final = false;
    std::vector<TensorInfo> tensors;
    std::map<std::string, std::string, std::less<>> metadata;
};

/// What `lcm-render --info` knows of one file: a PNG or JPEG picture, or the records of an lcm-stream.
struct FileInfo {
    std::string name;
    std::variant<PictureFile, std::vector<RecordInfo>> content;
};

/// Reads a whole picture (at most 256 MiB) or stream; the first bytes tell which.
/// @throws Error(data), Error(refused), Error(unavailable) when the build lacks the codec, UpstreamError
FileInfo read_file_info(std::unique_ptr<ByteSource> source);

/// For people: several lines, each ended by a newline. Control characters are escaped, line breaks of a text become indented lines.
std::string info_text(const FileInfo& info);

/// For programs: one JSON object on one line, ended by a newline, in pure ASCII. The keys are stable:
/// picture: {"channels","file","format","height","parameters","source","type":"picture","width"};
/// stream: {"file","records":[{"final","kind","metadata","tensors":[{"dtype","name","shape"}]}],"type":"stream"}.
std::string info_json(const FileInfo& info);

}  // namespace lcm
