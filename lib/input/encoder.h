#pragma once

#include "lib/stream/record.h"

namespace lcm {

/// One kind of input turned into conditioning ("vectorize"): text, picture or sketch.
class Encoder {
public:
    virtual ~Encoder() = default;

    /// Adds tensors and metadata to `record` and keeps all that it does not know. @throws Error(data)
    virtual void enrich(Record& record) = 0;
};

}  // namespace lcm
