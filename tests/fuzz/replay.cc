// Runs a fuzz target on the files of folders and on mutations of them, the same ones each time, and prints 'N passed, N failed'.
// A file is one case; it runs in a process of its own, so that a crash is counted and the next file still runs.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

namespace {

using Clock = std::chrono::steady_clock;
using Input = std::vector<std::uint8_t>;
using Counter = std::atomic<std::uint64_t>;  // lock-free, so processes can share it

constexpr std::uint64_t mutations_of_a_file = 2000;
constexpr std::chrono::duration<double> time_of_a_program{4.0};  // less than the mutations need only on a slow machine

// xorshift64* of Vigna (2014).
class RandomNumbers {
public:
    explicit RandomNumbers(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u) {}

    std::size_t below(std::size_t bound) {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return static_cast<std::size_t>((state_ * 0x2545F4914F6CDD1Du >> 32) % bound);
    }

private:
    std::uint64_t state_;
};

void repeat(Input& input, const Input& piece, RandomNumbers& random) {
    input.insert(input.begin() + static_cast<std::ptrdiff_t>(random.below(input.size() + 1)), piece.begin(), piece.end());
}

void change(Input& input, RandomNumbers& random) {
    static constexpr std::uint8_t telling[] = {0, 1, 0x7F, 0x80, 0xFF, ' ', '"', '\\', '{', '}', '[', ']', ',', ':', '-', '0', '9'};
    const std::size_t place = random.below(input.size() + 1);
    const auto at = input.begin() + static_cast<std::ptrdiff_t>(place);
    const auto length = static_cast<std::ptrdiff_t>(std::min(input.size() - place, random.below(16) + 1));
    const std::size_t kind = random.below(6);
    if (kind == 0 || length == 0)
        input.insert(at, telling[random.below(std::size(telling))]);
    else if (kind == 1)
        *at ^= static_cast<std::uint8_t>(1u << random.below(8));
    else if (kind == 2)
        *at = telling[random.below(std::size(telling))];
    else if (kind == 3)
        input.erase(at, at + length);
    else if (kind == 4)
        repeat(input, Input(at, at + length), random);
    else
        input.resize(place);
}

/// Mutation `number` of a file: 0 is the file itself, the others have one to four changes.
Input mutated(const Input& file, std::uint64_t number) {
    Input input = file;
    if (number == 0) return input;
    RandomNumbers random(number);
    for (std::size_t left = random.below(4) + 1; left > 0; --left) change(input, random);
    input.shrink_to_fit();  // one byte too far is then a report of the sanitizer
    return input;
}

void run_all(const Input& file, Clock::time_point deadline, Counter& number) {
    for (number = 0; number <= mutations_of_a_file; ++number) {
        if (number > 0 && Clock::now() >= deadline) return;
        const Input input = mutated(file, number);
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
}

/// True when the file and its mutations pass. `number` is memory that a child process shares.
bool passes(const std::filesystem::path& path, std::chrono::duration<double> time, Counter& number) {
    std::ifstream stream(path, std::ios::binary);
    const Input file{std::istreambuf_iterator<char>(stream), {}};
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(time);
    const pid_t child = ::fork();
    if (child == 0) {
        run_all(file, deadline, number);
        std::exit(0);  // and not _exit: the sanitizer looks for leaks here
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) std::perror("replay");
    if (child > 0 && status == 0) return true;
    const std::string kept = "failed-" + path.filename().string();
    const Input input = mutated(file, number);
    std::ofstream(kept, std::ios::binary).write(reinterpret_cast<const char*>(input.data()), static_cast<std::streamsize>(input.size()));
    std::fprintf(stderr, "%s: mutation %llu fails; it is kept as %s\n", path.c_str(), static_cast<unsigned long long>(number),
                 kept.c_str());
    return false;
}

std::vector<std::filesystem::path> files_of(int count, char** folders) {
    std::vector<std::filesystem::path> files;
    for (int i = 0; i < count; ++i)
        for (const auto& entry : std::filesystem::directory_iterator(folders[i])) files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

}  // namespace

int main(int count, char** arguments) {
    const auto files = files_of(count - 1, arguments + 1);
    void* shared = ::mmap(nullptr, sizeof(Counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (files.empty() || shared == MAP_FAILED) {
        std::fprintf(stderr, "usage: %s FOLDER...  (folders with files to run)\n", arguments[0]);
        return 64;
    }
    const auto time = time_of_a_program / static_cast<double>(files.size());
    Counter& number = *new (shared) Counter(0);
    int passed = 0;
    std::uint64_t inputs = 0;
    for (const auto& file : files) {
        passed += passes(file, time, number) ? 1 : 0;
        inputs += number;
    }
    const int failed = static_cast<int>(files.size()) - passed;
    std::printf("%llu inputs\n%d passed, %d failed\n", static_cast<unsigned long long>(inputs), passed, failed);
    return failed == 0 ? 0 : 1;
}
