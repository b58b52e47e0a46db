#include "lib/base/core_share.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/temporary_folder.h"

using namespace lcm;

TEST_CASE("tools that compute at the same moment divide the cores") {
    const TemporaryFolder folder;
    const auto path = folder / "share";
    CoreShare encode(8, path), denoise(8, path), render(8, path);
    CHECK(denoise.cores() == 8);
    denoise.begin();
    CHECK(denoise.cores() == 8);
    render.begin();
    CHECK(denoise.cores() == 4);
    CHECK(render.cores() == 4);
    encode.begin();
    encode.begin();
    CHECK(denoise.cores() == 2);
    encode.end();
    encode.end();
    render.end();
    CHECK(denoise.cores() == 8);
}

TEST_CASE("every tool is counted, whichever seats are left free") {
    const TemporaryFolder folder;
    const auto path = folder / "share";
    std::vector<std::unique_ptr<CoreShare>> tools;
    for (int i = 0; i < 9; ++i) tools.push_back(std::make_unique<CoreShare>(72, path));
    for (const auto& tool : tools) tool->begin();
    CHECK(tools[4]->cores() == 8);
    for (const int leaving : {0, 7, 3, 8, 5}) tools[static_cast<std::size_t>(leaving)]->end();
    CHECK(tools[4]->cores() == 18);
    CHECK(tools[0]->cores() == 14);  // it would be the fifth
}

TEST_CASE("no tool is left without a core") {
    const TemporaryFolder folder;
    const auto path = folder / "share";
    CoreShare one(2, path), two(2, path), three(2, path);
    for (CoreShare* share : {&one, &two, &three}) share->begin();
    for (const CoreShare* share : {&one, &two, &three}) CHECK(share->cores() == 1);
}

TEST_CASE("a lock of the whole file, which no tool takes, is every seat") {
    const TemporaryFolder folder;
    const auto path = folder / "share";
    CoreShare here(66, path);
    here.begin();
    CoreShare there(66, path);
    const int descriptor = ::open(path.c_str(), O_RDWR);
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    whole.l_start = 1;  // behind the seat that is taken
    REQUIRE(::fcntl(descriptor, F_OFD_SETLK, &whole) == 0);
    CHECK(here.cores() == 2);
    CHECK(there.cores() == 2);
    ::close(descriptor);
    CHECK(here.cores() == 66);
}

TEST_CASE("a tool that dies gives its part back") {
    const TemporaryFolder folder;
    const auto path = folder / "share";
    CoreShare here(4, path);
    here.begin();
    int to_parent[2];
    REQUIRE(::pipe(to_parent) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        CoreShare there(4, path);
        there.begin();
        const char cores = static_cast<char>(there.cores());
        ::_exit(::write(to_parent[1], &cores, 1) == 1 ? 0 : 1);
    }
    char cores = 0;
    CHECK(::read(to_parent[0], &cores, 1) == 1);
    CHECK(cores == 2);
    ::waitpid(child, nullptr, 0);
    CHECK(here.cores() == 4);
    ::close(to_parent[0]);
    ::close(to_parent[1]);
}

TEST_CASE("a file that is not ours to share is left alone") {
    const TemporaryFolder folder;
    const auto target = folder / "target", link = folder / "link";
    std::ofstream(target) << "kept";
    std::filesystem::create_symlink(target, link);
    for (const std::string& path : std::vector<std::string>{link, folder.path(), folder / "none/share", std::string()}) {
        CoreShare one(4, path), two(4, path);
        one.begin();
        two.begin();
        CHECK(one.cores() == 4);
    }
}
