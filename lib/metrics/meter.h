#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace lcm {

/// What a tool spends its time on.
enum class Stage { load, read, encode, step, decode, convert, check, write };
inline constexpr std::size_t stage_count = static_cast<std::size_t>(Stage::write) + 1;

/// What a tool counts.
enum class Counter { records, pictures, steps };
inline constexpr std::size_t counter_count = static_cast<std::size_t>(Counter::steps) + 1;

/// Names as `--stats`, `--metrics` and `--trace` spell them.
std::string_view name(Stage stage);
std::string_view name(Counter counter);

/// How often a stage ran, and for how long.
struct StageTimes {
    using Duration = std::chrono::steady_clock::duration;
    static constexpr std::size_t recent_limit = 64;

    std::uint64_t count = 0;
    Duration total{}, shortest{}, longest{};
    std::deque<Duration> recent;  ///< the last `recent_limit` runs, in their order
    double operations = 0;        ///< floating-point operations in all of them, of stages whose networks are counted

    /// The middle one of `recent`, of two the mean. Not to be asked before the first run.
    Duration median() const;
};

class MemoryWatch;
class Trace;

/// Measures one run of a tool: time by stage, counters, the process's memory. One a process, used by one thread; two clock reads a stage.
class Meter {
public:
    using Clock = std::chrono::steady_clock;

    /// Measures from its making to its end. Stages may lie within each other; each then counts the whole of its time.
    class [[nodiscard]] Timer {
    public:
        Timer(Meter& meter, Stage stage) : meter_(meter), stage_(stage), start_(Clock::now()) {}
        Timer(const Timer&) = delete;
        Timer& operator=(const Timer&) = delete;
        ~Timer() { meter_.add(stage_, start_, Clock::now()); }

    private:
        Meter& meter_;
        Stage stage_;
        Clock::time_point start_;
    };

    /// The run begins now.
    explicit Meter(std::string tool);
    ~Meter();
    Meter(const Meter&) = delete;
    Meter& operator=(const Meter&) = delete;

    Timer time(Stage stage) { return Timer(*this, stage); }
    /// A stage that was timed elsewhere.
    void add(Stage stage, Clock::time_point start, Clock::time_point end);
    void count(Counter counter, std::uint64_t amount = 1) noexcept { counters_[static_cast<std::size_t>(counter)] += amount; }
    /// Operations that a stage did. @param operations  a multiply and an add are two
    void add_operations(Stage stage, double operations) noexcept { stages_[static_cast<std::size_t>(stage)].operations += operations; }
    void set_threads(int threads) noexcept { threads_ = threads; }

    const std::string& tool() const { return tool_; }
    int threads() const { return threads_; }
    std::uint64_t counted(Counter counter) const { return counters_[static_cast<std::size_t>(counter)]; }
    const StageTimes& times(Stage stage) const { return stages_[static_cast<std::size_t>(stage)]; }
    Clock::time_point start() const { return start_; }

    /// Says that somebody will read all this: from now on what costs something is measured too, the peak of anonymous memory and
    /// operations.
    void expect_reader();
    bool has_reader() const { return memory_ != nullptr; }
    /// The most anonymous memory since `expect_reader`, in bytes; without that the memory of now.
    std::uint64_t peak_anonymous_bytes() const;

    /// Also tells every stage to `trace` from now on.
    void set_trace(std::unique_ptr<Trace> trace);
    /// Where stages are told, or nullptr.
    Trace* trace() { return trace_.get(); }

private:
    std::string tool_;
    Clock::time_point start_ = Clock::now();
    std::array<StageTimes, stage_count> stages_{};
    std::array<std::uint64_t, counter_count> counters_{};
    int threads_ = 0;
    std::unique_ptr<MemoryWatch> memory_;
    std::unique_ptr<Trace> trace_;
};

}  // namespace lcm
