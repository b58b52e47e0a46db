#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace lcm {

/// Which self-attentions of a UNet are made of fewer tokens: those over `height` x `width` pixels.
struct TokenMergeShape {
    double ratio = 0;  ///< share of the tokens that are merged into others, 0..0.75; 0: none
    std::int64_t height = 0, width = 0;
};

/// Tokens of a picture that are much alike, merged for one self-attention and spread again behind it (ToMe, Bolya et al. 2022; for
/// diffusion Bolya and Hoffman 2023).
///
/// Bipartite soft matching: the first token of each 2x2 cell of pixels is a destination, the others are sources. Each source belongs to the
/// destination whose cosine is highest; the `ratio` of all tokens whose cosines are the highest are merged into theirs, as a mean. Among
/// equals the first counts, so that the choice is always the same.
class TokenMerge {
public:
    /// @param tokens  [B,T,D], T = height * width, by which tokens are compared; row by row
    TokenMerge(const at::Tensor& tokens, const TokenMergeShape& shape);

    /// [B,T,D] -> [B,T-merged,D]: the sources that are left, then the destinations with what was merged into them.
    at::Tensor merge(const at::Tensor& tokens) const;
    /// The reverse: merged sources get the row of their destination. [B,T-merged,D] -> [B,T,D].
    at::Tensor spread(const at::Tensor& rows) const;

private:
    at::Tensor sources_, destinations_;  ///< [S], [N]: numbers of the tokens
    at::Tensor left_, merged_;           ///< [B,S-M], [B,M]: numbers among the sources
    at::Tensor into_;                    ///< [B,M]: number among the destinations
};

}  // namespace lcm
