#pragma once

#include <c10/util/accumulate.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

#include "lib/core/weights/name_recorder.h"
#include "tests/unit/safetensors_bytes.h"

/// The bytes of a safetensors file with every parameter that a network has asked for, in F16. @param byte  both bytes of every number
inline std::string constant_weights(const lcm::NameRecorder& network, char byte) {
    std::string header;
    std::size_t end = 0;
    for (const auto& [name, shape] : network.shapes()) {
        const std::size_t begin = end;
        end += 2 * static_cast<std::size_t>(c10::multiply_integers(shape));
        header += fmt::format(R"({}"{}":{{"dtype":"F16","shape":[{}],"data_offsets":[{},{}]}})", header.empty() ? "{" : ",", name,
                              fmt::join(shape, ","), begin, end);
    }
    return safetensors_with_header(header + "}", std::string(end, byte));
}
