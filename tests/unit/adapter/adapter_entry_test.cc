#include "lib/core/adapter/adapter_entry.h"

#include <doctest/doctest.h>

#include "lib/stream/keys.h"
#include "tests/unit/caught_error.h"

using namespace lcm;

namespace {

const std::string digest(64, 'a');

Record record_with(const std::string& adapters) {
    Record record;
    record.place = "record 3";
    record.set(key::adapters, adapters);
    return record;
}

}  // namespace

TEST_CASE("entries are written with sorted keys and read back") {
    const std::vector<AdapterEntry> entries{
        {.id = "oil", .kind = "lora", .sha256 = digest, .weight = 0.8, .blocks = "up:0", .file = "oil.safetensors"},
        {.id = "b", .kind = "lora", .sha256 = digest, .weight = -1, .rule = "peft", .text = true}};
    Record record;
    write_adapters(record, entries);
    CHECK(record.at(key::adapters) ==
          R"([{"blocks":"up:0","file":"oil.safetensors","id":"oil","kind":"lora","schedule":"","sha256":")" + digest +
              R"(","weight":0.8},{"blocks":"","file":"","id":"b","kind":"lora","rule":"peft","schedule":"","sha256":")" + digest +
              R"(","text":true,"weight":-1}])");
    CHECK(read_adapters(record) == entries);
    write_adapters(record, {});
    CHECK(record.find(key::adapters) == nullptr);
    CHECK(read_adapters(record).empty());
}

TEST_CASE("lists that are wrong name record and key") {
    const auto check = [](const std::string& json, std::initializer_list<std::string_view> words) {
        check_error(ExitCode::data, {"record 3", "lcm.adapters"}, [&] { read_adapters(record_with(json)); });
        check_error(ExitCode::data, words, [&] { read_adapters(record_with(json)); });
    };
    const std::string good = R"("kind":"lora","sha256":")" + digest + "\"";
    check("{}", {"lcm.adapters"});
    check("[1]", {"lcm.adapters"});
    check(R"([{"sha256":")" + digest + R"("}])", {"kind"});
    check(R"([{"kind":"lora"}])", {"sha256"});
    check(R"([{"kind":"lora","sha256":"../../etc/passwd"}])", {"64 hex digits"});
    check("[{" + good + R"(,"strength":1}])", {"\"strength\""});
    check("[{" + good + R"(,"weight":"much"}])", {"weight"});
    std::string many = "[";
    for (int i = 0; i < 65; ++i) many += std::string(i > 0 ? "," : "") + "{" + good + "}";
    check(many + "]", {"65 adapters"});
}
