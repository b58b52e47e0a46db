#include "lib/stream/record.h"

#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/stream/keys.h"

namespace lcm {

TensorBytes make_tensor(Dtype dtype, std::vector<std::int64_t> shape, Bytes data) {
    if (byte_size(dtype, shape) != data.size())
        throw Error(ExitCode::software, "", fmt::format("a tensor of {} elements made from {} bytes", name(dtype), data.size()));
    const auto owner = std::make_shared<const Bytes>(std::move(data));
    return {dtype, std::move(shape), *owner, owner};
}

bool Record::is_end() const {
    const std::string* value = find(key::kind);
    return value != nullptr && *value == kind::end;
}

bool Record::is_error() const {
    const std::string* value = find(key::kind);
    return value != nullptr && *value == kind::error;
}

const TensorBytes& Record::tensor(std::string_view name, std::string fix) const {
    const auto found = tensors.find(name);
    if (found == tensors.end()) throw Error(ExitCode::data, place, fmt::format("has no tensor {}", json_quote(name)), std::move(fix));
    return found->second;
}

const std::string* Record::find(std::string_view key) const {
    const auto found = metadata.find(key);
    return found == metadata.end() ? nullptr : &found->second;
}

const std::string& Record::at(std::string_view key) const {
    if (const std::string* value = find(key)) return *value;
    throw Error(ExitCode::data, place, fmt::format("has no key {}", json_quote(key)));
}

void Record::set(std::string_view key, std::string value) { metadata.insert_or_assign(std::string(key), std::move(value)); }

}  // namespace lcm
