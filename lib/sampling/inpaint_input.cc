#include "lib/sampling/inpaint_input.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/sampling/start_image.h"
#include "lib/stream/keys.h"

namespace lcm {

InpaintInput InpaintInput::read(const Record& record, const std::vector<std::int64_t>& shape) {
    for (const std::string_view name : {tensor::latent_mask, tensor::latent_masked})
        if (!record.tensors.contains(name))
            throw Error(ExitCode::data, record.place, fmt::format("has no {}, which this inpainting model takes", name),
                        "encode the picture with the same model: lcm-encode image PICTURE --mask FILE");
    InpaintInput input;
    input.mask = mask_tensor(record, shape);
    input.masked = record_tensor(record, tensor::latent_masked, shape);
    if (record.tensors.contains(tensor::latent_masked_std)) input.deviation = record_tensor(record, tensor::latent_masked_std, shape);
    return input;
}

void InpaintInput::sample(const at::Tensor& noise) {
    masked = masked + deviation * noise;
    deviation = at::Tensor();
}

at::Tensor InpaintInput::channels() const { return at::cat({mask, masked}, 1); }

}  // namespace lcm
