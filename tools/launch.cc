// Becomes the program of the same name, with the environment that the C library, libtorch's OpenMP and MKL read while they are loaded: the
// program itself would be too late. Threads that wait must sleep, because the tools of a pipe share the cores; but not before a tenth of a
// millisecond, which is longer than one layer leaves the next waiting: being woken hundreds of times takes a tenth of a step. Memory that a
// layer has freed is kept for the next one, in large pages: given back and asked for again, it costs a page fault for every 4 KiB.

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

int main(int, char** argv) {
    namespace fs = std::filesystem;
    // A question about progress before the program can answer neither ends it nor is lost: the program takes it once it has a handler.
    sigset_t asked;
    ::sigemptyset(&asked);
    ::sigaddset(&asked, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &asked, nullptr);
    ::setenv("GLIBC_TUNABLES", "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.hugetlb=1", 0);
    ::setenv("OMP_WAIT_POLICY", "passive", 0);
    ::setenv("GOMP_SPINCOUNT", "3000", 0);
    ::setenv("MKL_CBWR", "AUTO,STRICT", 0);  // products are the same bytes with any number of threads, at no cost that shows
    std::error_code ignored;
    const auto folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    for (const char* programs : {LCM_PROGRAMS_FROM_TOOLS, "programs"}) ::execv((folder / programs / LCM_TOOL).c_str(), argv);
    std::fprintf(stderr, "%s: cannot start %s: %s; install it again\n", LCM_TOOL, (folder / LCM_PROGRAMS_FROM_TOOLS / LCM_TOOL).c_str(),
                 std::strerror(errno));
    return 71;
}
