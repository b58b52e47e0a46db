#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/core/bundle/bundle.h"
#include "lib/core/model/latent_format.h"
#include "lib/stream/record.h"

namespace lcm {

/// Whether a record fits a model: the one place that compares the two, for every tool (stream-format, section 6, "wrong pipes").
///
/// Each check refuses with Error(data) that says what the record has, what the model has, and what to change.
class RecordCheck {
public:
    /// Takes from the bundle what it has; parts that are not there are not compared.
    explicit RecordCheck(const Bundle& bundle);

    /// The family, and the hash of the part that a tool is about to use; but for a tiny VAE, which stands in for any of its family.
    void expect_same_model(const Record& record, Part used) const;
    /// `text.embeds` of the width that the UNet takes, and pooled text where it takes that; with `guided` also the negative ones.
    void expect_conditions(const Record& record, bool guided) const;
    /// The scaling factor (but for a tiny VAE, which takes the latents of any), the layout and, where the record has a latent, its
    /// channels.
    void expect_latent(const Record& record) const;

    const std::string& arch() const { return arch_; }
    /// Of the part, as the record would carry it.
    std::string sha256(Part used) const;
    const LatentFormat& latent() const { return latent_; }
    /// True for a tiny VAE, which has the UNet's own latents whatever their scaling factor.
    bool any_scale() const { return any_scale_; }

private:
    void expect_value(const Record& record, std::string_view key, const std::string& ours) const;
    void expect_width(const Record& record, std::string_view name, std::int64_t sides, std::int64_t width) const;

    Bundle bundle_;
    std::string arch_;  ///< empty without a UNet
    LatentFormat latent_;
    bool any_scale_;  ///< a tiny VAE reads latents as the UNet has them
    std::optional<UNetConfig> unet_;
};

}  // namespace lcm
