#pragma once

namespace lcm {

/// Watches a denoising loop (progress, previews).
class Observer {
public:
    virtual ~Observer() = default;
    /// Step `step` of `steps` of picture `record` is done.
    virtual void on_step(int record, int step, int steps) = 0;
};

}  // namespace lcm
