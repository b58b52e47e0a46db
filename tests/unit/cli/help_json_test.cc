#include "lib/cli/help_json.h"

#include <doctest/doctest.h>

#include <CLI/CLI.hpp>

#include "lib/base/json.h"
#include "lib/cli/environment_name.h"
#include "lib/cli/flag_names.h"

using namespace lcm;
using namespace lcm::cli;

namespace {

/// The table of one command whose flags `declare` adds.
template <class Declare>
Json table_of(Declare&& declare) {
    CLI::App app;
    app.set_help_flag();
    declare(app);
    return parse_json(help_json({"lcm-draw", "1.2.3", "Draw", {{&app, "", "Draw", {"lcm-draw x"}}}}), "table");
}

const Json& command(const Json& table) { return table.at("commands").as_array().at(0); }
const Json& flag(const Json& table, std::size_t number = 0) { return command(table).at("flags").as_array().at(number); }

std::vector<std::string> strings(const Json& list) {
    std::vector<std::string> found;
    for (const auto& item : list.as_array()) found.push_back(item.as_string());
    return found;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a flag with a value, its default and its variable") {
    std::string path = "-";
    const auto table = table_of(
        [&](CLI::App& app) { app.add_option("-o,--output", path, "File")->type_name("FILE")->capture_default_str()->group("Out"); });
    CHECK(table.at("tool").as_string() == "lcm-draw");
    CHECK(strings(command(table).at("examples")) == Words{"lcm-draw x"});
    const auto& output = flag(table);
    CHECK(strings(output.at("names")) == Words{"-o", "--output"});
    CHECK(output.at("value").as_string() == "FILE");
    CHECK(output.at("default").as_string() == "-");
    CHECK(output.at("environment").as_string() == "LCM_OUTPUT");
    CHECK(output.at("group").as_string() == "Out");
    CHECK_FALSE(output.at("repeats").as_bool());
    CHECK_FALSE(output.at("hidden").as_bool());
    CHECK(strings(output.at("choices")).empty());
}

TEST_CASE("choices are read from the check that enforces them") {
    std::string form;
    int type = 0, count = 1;
    const std::map<std::string, int> types{{"bf16", 2}, {"f32", 1}};
    const auto table = table_of([&](CLI::App& app) {
        app.add_option("--form", form)->check(CLI::IsMember({"bar", "none"}))->type_name("FORM");
        app.add_option("--type", type)->transform(CLI::CheckedTransformer(types))->type_name("TYPE");
        app.add_option("--count", count)->check(CLI::Range(1, 9))->type_name("N");
    });
    CHECK(strings(flag(table, 0).at("choices")) == Words{"bar", "none"});
    CHECK(strings(flag(table, 1).at("choices")) == Words{"bf16", "f32"});
    CHECK(strings(flag(table, 2).at("choices")).empty());
    CHECK(flag(table, 2).at("value").as_string() == "N");
}

TEST_CASE("switches, repeats and lists with commas") {
    bool quiet = false;
    int verbose = 0;
    std::vector<std::string> files;
    std::vector<int> numbers;
    const auto table = table_of([&](CLI::App& app) {
        app.add_flag("-q", quiet);
        app.add_flag("-v", verbose);
        app.add_option("-i,FILE", files)->type_name("FILE");
        app.add_option("--numbers", numbers)->delimiter(',')->type_name("N,...");
    });
    CHECK(flag(table, 0).find("value") == nullptr);
    CHECK(flag(table, 0).find("environment") == nullptr);
    CHECK_FALSE(flag(table, 0).at("repeats").as_bool());
    CHECK(flag(table, 1).at("repeats").as_bool());
    CHECK(flag(table, 2).at("repeats").as_bool());
    CHECK_FALSE(flag(table, 3).at("repeats").as_bool());
    CHECK(strings(flag(table, 2).at("names")) == Words{"-i"});
    const auto& operand = command(table).at("operands").as_array().at(0);
    CHECK(operand.at("name").as_string() == "FILE");
    CHECK(operand.at("repeats").as_bool());
}

TEST_CASE("hidden flags stand in the table, make words as users write them") {
    std::string target;
    bool secret = false;
    const auto table = table_of([&](CLI::App& app) {
        app.add_option("--MT", target)->type_name("TARGET");
        app.add_flag("--secret", secret)->group("");
    });
    CHECK(strings(flag(table, 0).at("names")) == Words{"-MT"});
    CHECK(flag(table, 0).find("environment") == nullptr);
    CHECK(strings(flag(table, 1).at("names")) == Words{"--secret"});
    CHECK(flag(table, 1).at("hidden").as_bool());
}

TEST_CASE("names of variables") {
    CHECK(environment_name("threads") == "LCM_THREADS");
    CHECK(environment_name("original-steps") == "LCM_ORIGINAL_STEPS");
    for (const char* none : {"help", "version", "help-json", "config", "show-config", "MD"}) CHECK(environment_name(none).empty());
    CHECK(flag_word("MF") == "-MF");
    CHECK(flag_word("steps") == "--steps");
    CHECK_FALSE(is_make_word("WH1"));
}
