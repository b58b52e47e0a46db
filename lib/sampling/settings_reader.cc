#include "lib/sampling/settings_reader.h"

#include <fmt/format.h>

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/sampling/convention.h"
#include "lib/stream/keys.h"

namespace lcm {

void SettingsReader::refuse(std::string_view key, const std::string& what) const {
    throw Error(ExitCode::data, record_.place, fmt::format("{} {}", key, what), fix_);
}

std::uint64_t SettingsReader::count(std::string_view key, std::uint64_t low, std::uint64_t high) const {
    const auto value = parse_u64(record_.at(key));
    if (!value || *value < low || *value > high) refuse(key, fmt::format("is not a number in {}..{}", low, high));
    return *value;
}

double SettingsReader::number(std::string_view key) const {
    const auto value = parse_number(record_.at(key));
    if (!value) refuse(key, "is not a number");
    return *value;
}

double SettingsReader::share(std::string_view key) const {
    const double value = number(key);
    if (!(value > 0 && value <= 1)) refuse(key, "is not above 0 and at most 1");
    return value;
}

std::vector<double> SettingsReader::numbers(std::string_view key) const {
    std::vector<double> values;
    const Json list = parse_json(record_.at(key), fmt::format("{}: {}", record_.place, key));
    for (const Json& one : list.as_array()) values.push_back(one.as_number());
    return values;
}

std::vector<std::int64_t> SettingsReader::integers(std::string_view key) const {
    std::vector<std::int64_t> values;
    const Json list = parse_json(record_.at(key), fmt::format("{}: {}", record_.place, key));
    for (const Json& one : list.as_array()) values.push_back(one.as_integer());
    return values;
}

Rng SettingsReader::rng() const {
    const std::string& name = record_.at(key::rng);
    for (const Rng rng : {Rng::torch_cpu, Rng::philox})
        if (name == name_of(rng)) return rng;
    refuse(key::rng, fmt::format("is \"{}\", neither torch-cpu nor philox", escape_control(name)));
}

Strength::Rule SettingsReader::strength_rule() const {
    const std::string& name = record_.at(key::strength_rule);
    for (const Strength::Rule rule : {Strength::Rule::lcm, Strength::Rule::cut, Strength::Rule::stretch})
        if (name == name_of(rule)) return rule;
    refuse(key::strength_rule, fmt::format("is \"{}\", neither lcm, cut nor stretch", escape_control(name)));
}

void SettingsReader::expect(std::string_view key, std::string_view ours) const {
    const std::string& value = record_.at(key);
    if (value != ours) refuse(key, fmt::format("is \"{}\", and only \"{}\" can be resumed", escape_control(value), ours));
}

}  // namespace lcm
