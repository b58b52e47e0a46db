#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "lib/core/tensor/threads.h"
#include "tests/golden/golden_case.h"

/// Runs the golden tests. A whole run (no arguments) that passes also fails when a case of cases.json was visited by no test.
int main(int argc, char** argv) {
    lcm::set_threads(1);  // as the reference values were made
    doctest::Context context(argc, argv);
    int status = context.run();
    if (argc > 1 || status != 0) return status;
    for (const std::string& id : lcm::golden::unvisited_cases()) {
        std::fprintf(stderr, "case %s of cases.json was visited by no test\n", id.c_str());
        status = 1;
    }
    return status;
}
