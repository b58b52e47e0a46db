#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "lib/base/error.h"

/// Runs `action`, which must throw an lcm::Error, and returns it.
template <typename Action>
lcm::Error caught(const Action& action) {
    try {
        action();
    } catch (const lcm::Error& error) {
        return error;
    }
    FAIL("no error was thrown");
    return lcm::Error(lcm::ExitCode::ok, "", "");
}

/// Checks the code of an error and that its line names each of `words`.
template <typename Action>
void check_error(lcm::ExitCode code, std::initializer_list<std::string_view> words, const Action& action) {
    const lcm::Error error = caught(action);
    CHECK(error.code() == code);
    const std::string line = error.where() + ": " + error.fault() + " | " + error.fix();
    for (const std::string_view word : words) {
        INFO("line: ", line, ", expected in it: ", std::string(word));
        CHECK(line.find(word) != std::string::npos);
    }
}
