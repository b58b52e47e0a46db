#include "lib/input/image/mask.h"

#include "lib/image/resample_float.h"

namespace lcm {

FloatImage repaint_mask(const Image& mask, const ImageSize& size, Fit fit) {
    FloatImage result = to_unit(fit_to(to_grey(mask), size.width, size.height, fit));
    for (float& value : result.values) value = value >= 0.5F ? 1.0F : 0.0F;
    return result;
}

FloatImage latent_mask(const FloatImage& mask, int factor) {
    return resize(mask, mask.width / factor, mask.height / factor, Interpolation::nearest);
}

}  // namespace lcm
