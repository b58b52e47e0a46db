#pragma once

#include <memory>

#include "lib/base/bytes.h"

namespace lcm {

class Meter;

/// The same source; what is read from it counts as `Counter::bytes_in`. `meter` must outlive it.
std::unique_ptr<ByteSource> counted(std::unique_ptr<ByteSource> source, Meter& meter);

/// The same sink; what is written to it counts as `Counter::bytes_out`. `meter` must outlive it.
std::unique_ptr<ByteSink> counted(std::unique_ptr<ByteSink> sink, Meter& meter);

}  // namespace lcm
