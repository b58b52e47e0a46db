#include "lib/core/adapter/weight_delta.h"

#include <c10/util/accumulate.h>

namespace lcm {
namespace {

at::IntArrayRef without_unit_kernel(at::IntArrayRef shape) {
    return shape.size() == 4 && shape[2] == 1 && shape[3] == 1 ? shape.slice(0, 2) : shape;
}

}  // namespace

bool fits(at::IntArrayRef given, at::IntArrayRef wanted) {
    const at::IntArrayRef ours = without_unit_kernel(wanted), theirs = without_unit_kernel(given);
    if (theirs == ours) return true;
    const bool flat = theirs.size() == 2 && ours.size() == 4;
    return flat && theirs[0] == ours[0] && theirs[1] == c10::multiply_integers(ours.slice(1));
}

}  // namespace lcm
