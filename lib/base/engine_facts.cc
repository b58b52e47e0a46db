#include "lib/base/engine_facts.h"

#include <mutex>

namespace lcm {

namespace {

std::mutex guard;
std::map<std::string, std::string, std::less<>> facts;

}  // namespace

void note_engine(std::string_view role, std::string_view value) {
    const std::scoped_lock lock(guard);
    facts.insert_or_assign(std::string(role), std::string(value));
}

std::map<std::string, std::string, std::less<>> engine_facts() {
    const std::scoped_lock lock(guard);
    return facts;
}

}  // namespace lcm
