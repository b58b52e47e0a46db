#include "lib/stream/stream_hash.h"

#include <pthread.h>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "lib/base/sha256.h"

namespace lcm {

namespace {

using Pieces = std::vector<StreamHash::Piece>;

constexpr std::size_t most_waiting = std::size_t{512} << 10;    // more would leave the processor's cache before it is hashed
constexpr std::size_t largest_waiting = std::size_t{24} << 20;  // a record beyond that is hashed in place, so that memory stays bounded
constexpr std::size_t worth_a_thread = std::size_t{16} << 10;   // fewer bytes are hashed in the time that waking a thread takes
constexpr std::size_t cost_of_a_record = 4096;                  // what the queue itself may take, so that empty records are bounded too

std::size_t cost(const Pieces& record) {
    std::size_t bytes = cost_of_a_record;
    for (const auto& piece : record) bytes += piece.data.size();
    return bytes;
}

/// Signals are for the thread that reads and writes: it must wake from a system call when the user asks to stop.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_;
};

}  // namespace

// `hash` belongs to the thread while `waiting` is not zero, else to the owner.
struct StreamHash::State {
    Sha256 hash;
    std::mutex mutex;
    std::condition_variable arrived, done;
    std::deque<Pieces> queue;
    std::size_t waiting = 0;  // cost of what is not hashed yet
    std::exception_ptr fault;
    bool stopping = false;
    bool alone = std::thread::hardware_concurrency() < 2;
    std::thread thread;

    void start();
    void run();
    void add(const Pieces& record) {
        for (const auto& piece : record) hash.update(piece.data);
    }
};

// Without a thread (a limit of processes) the work is done in place.
void StreamHash::State::start() {
    const SignalsBlocked blocked;
    try {
        thread = std::thread([this] { run(); });
    } catch (const std::system_error&) {
        alone = true;
    }
}

void StreamHash::State::run() {
    std::unique_lock lock(mutex);
    while (true) {
        arrived.wait(lock, [&] { return stopping || !queue.empty(); });
        if (stopping) return;
        Pieces record = std::move(queue.front());
        queue.pop_front();
        lock.unlock();
        const std::size_t finished = cost(record);
        std::exception_ptr caught;
        try {
            add(record);
        } catch (...) {
            caught = std::current_exception();
        }
        record.clear();  // the bytes may be large: they go before anyone waits for them to be gone
        lock.lock();
        if (caught) fault = caught;
        waiting -= finished;
        done.notify_one();
    }
}

StreamHash::StreamHash() : state_(std::make_unique<State>()) {}

StreamHash::~StreamHash() {
    if (!state_->thread.joinable()) return;
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopping = true;
    }
    state_->arrived.notify_one();
    state_->thread.join();
}

void StreamHash::update(std::vector<Piece> record) {
    State& state = *state_;
    const std::size_t size = cost(record);
    std::unique_lock lock(state.mutex);
    const bool small = size < worth_a_thread;
    const bool too_large = size > largest_waiting;
    if (!state.alone && !small && !too_large && !state.thread.joinable()) state.start();
    state.done.wait(lock, [&] { return state.waiting == 0 || state.waiting + size <= most_waiting; });
    if (state.waiting == 0 && (state.alone || small || too_large)) return state.add(record);
    state.waiting += size;
    state.queue.push_back(std::move(record));
    lock.unlock();
    state.arrived.notify_one();
}

std::string StreamHash::hex() {
    std::unique_lock lock(state_->mutex);
    state_->done.wait(lock, [&] { return state_->waiting == 0; });
    if (state_->fault) std::rethrow_exception(state_->fault);
    return state_->hash.hex();
}

void StreamHash::restart() {
    std::unique_lock lock(state_->mutex);
    state_->done.wait(lock, [&] { return state_->waiting == 0; });
    state_->hash = Sha256();
}

}  // namespace lcm
