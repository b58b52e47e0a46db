#pragma once

#include <cstdint>

namespace lcm {

/// Watches a denoising loop (progress, previews).
class Observer {
public:
    virtual ~Observer() = default;
    /// Picture `record` stands at `step` of `steps`; its next step begins now.
    virtual void on_start(int /*record*/, int /*step*/, int /*steps*/) {}
    /// Step `step` of `steps` of picture `record` is done.
    virtual void on_step(int record, int step, int steps) = 0;
    /// The next steps are each one of `pictures` pictures at once.
    virtual void on_fused(int /*pictures*/) {}
    /// The network is evaluated now, on `rows` latents of `height` x `width`.
    virtual void on_network(std::int64_t /*rows*/, std::int64_t /*height*/, std::int64_t /*width*/) {}
};

}  // namespace lcm
