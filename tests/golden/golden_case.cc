#include "tests/golden/golden_case.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/isfinite.h>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <set>
#include <stdexcept>

namespace lcm::golden {
namespace {

const Json& case_list() {
    static const Json json = read_json_file(folder() + "/cases.json");
    return json;
}

std::set<std::string>& visited() {
    static std::set<std::string> ids;
    return ids;
}

double share_of(const at::Tensor& flags) { return flags.to(at::kDouble).mean().item<double>(); }

/// What is wrong with the element-wise distance `error`, empty when nothing is.
std::string judge(const at::Tensor& error, const at::Tensor& size, double largest, const Tolerance& tolerance) {
    if (tolerance.most) {
        const double share = share_of(error.gt(0)), allowed = tolerance.share.value_or(1);
        if (largest <= *tolerance.most && share <= allowed) return {};
        return fmt::format("differs by up to {:g} (allowed {:g}) in {:.2f} % of the elements (allowed {:.2f} %)", largest, *tolerance.most,
                           100 * share, 100 * allowed);
    }
    const std::int64_t beyond = error.gt(size * tolerance.rtol + tolerance.atol).sum().item<std::int64_t>();
    if (beyond > 0)
        return fmt::format("{} of {} elements beyond atol {:g} + rtol {:g}", beyond, error.numel(), tolerance.atol, tolerance.rtol);
    if (tolerance.share) {
        const double share = share_of(error.gt(size * tolerance.rtol + tolerance.atol_most));
        if (share > *tolerance.share) {
            return fmt::format("{:.2f} % of the elements beyond {:g} (allowed {:.2f} %)", 100 * share, tolerance.atol_most,
                               100 * *tolerance.share);
        }
    }
    return {};
}

/// Largest errors over a group.
struct Worst {
    double abs = 0, rel = 0;
    std::string where = "-";
};

void check_result(const Case& one, const std::string& name, const at::Tensor& got, Worst& worst) {
    const auto output = one.outputs().find(name);
    if (output == one.outputs().end()) {
        FAIL_CHECK(one.id() << ": " << name << " is no output of this case");
        return;
    }
    const Difference found = compare(got, one.expected(name), output->second);
    if (output->second.info) return;
    if (found.largest_rel > worst.rel) worst.where = one.id() + " " + name;
    worst.abs = std::max(worst.abs, found.largest_abs);
    worst.rel = std::max(worst.rel, found.largest_rel);
    if (!found.problem.empty()) {
        FAIL_CHECK(one.id() << " " << name << ": " << found.problem << "; largest error " << found.largest_abs << ", relative "
                            << found.largest_rel);
    }
}

void check_case(const Case& one, const Results& results, Worst& worst) {
    for (const auto& [name, got] : results) check_result(one, name, got, worst);
    for (const auto& [name, tolerance] : one.outputs())
        if (!tolerance.info && !results.contains(name)) FAIL_CHECK(one.id() << ": no result " << name);
}

}  // namespace

Tolerance Tolerance::from_json(const Json& json) {
    Tolerance tolerance;
    tolerance.atol = json.get("atol", 0.0);
    tolerance.rtol = json.get("rtol", 0.0);
    tolerance.atol_most = json.get("atol_most", 0.0);
    tolerance.info = json.get("info", false);
    if (const Json* most = json.find("max")) tolerance.most = most->as_number();
    if (const Json* share = json.find("frac")) tolerance.share = share->as_number();
    return tolerance;
}

Difference compare(const at::Tensor& got, const at::Tensor& want, const Tolerance& tolerance) {
    constexpr double infinite = std::numeric_limits<double>::infinity();
    if (!got.defined()) return {"undefined", infinite, infinite};
    if (got.sizes() != want.sizes())
        return {fmt::format("shape [{}] is not [{}]", fmt::join(got.sizes(), ","), fmt::join(want.sizes(), ",")), infinite, infinite};
    if (want.numel() == 0) return {};
    const at::Tensor result = got.detach().to(at::kDouble), reference = want.to(at::kDouble);
    if (!at::isfinite(result).all().item<bool>()) return {"not finite", infinite, infinite};
    const at::Tensor error = at::abs(result - reference), size = at::abs(reference);
    Difference found;
    found.largest_abs = error.max().item<double>();
    found.largest_rel = found.largest_abs / std::max(size.max().item<double>(), 1e-30);
    if (!tolerance.info) found.problem = judge(error, size, found.largest_abs, tolerance);
    return found;
}

Case::Case(const Json& json, const Json& group)
    : id_(json.at("id").as_string()), args_(json.at("args")), file_(folder() + "/" + json.at("file").as_string()) {
    const Json* own = json.find("tol");
    for (const auto& [name, shape] : json.at("out").as_object()) {
        const Json* tolerance = own ? own->find(name) : nullptr;
        if (!tolerance && own) tolerance = own->find("*");
        outputs_[name] = Tolerance::from_json(tolerance ? *tolerance : group.at("tol"));
    }
}

std::string folder() {
    const char* testdata = std::getenv("LCM_TESTDATA");
    if (!testdata) throw std::runtime_error("LCM_TESTDATA is not set; run the tests with meson test");
    return std::string(testdata) + "/golden";
}

void check_group(const std::string& group, const std::function<Results(const Case&)>& compute) {
    const Json& about = case_list().at("groups").at(group);
    std::size_t count = 0;
    Worst worst;
    for (const Json& json : case_list().at("cases").as_array()) {
        if (json.at("group").as_string() != group) continue;
        const Case one(json, about);
        try {
            check_case(one, compute(one), worst);
        } catch (const std::exception& error) {
            FAIL_CHECK(one.id() << ": " << error.what());
        }
        visited().insert(one.id());
        ++count;
    }
    CHECK_MESSAGE(count > 0, "no cases of group " << group);
    MESSAGE(group << ": " << count << " cases, largest error " << worst.abs << ", relative " << worst.rel << " (" << worst.where << ")");
}

std::vector<std::string> unvisited_cases() {
    std::vector<std::string> missing;
    for (const Json& json : case_list().at("cases").as_array()) {
        const std::string& id = json.at("id").as_string();
        if (!visited().contains(id)) missing.push_back(id);
    }
    return missing;
}

}  // namespace lcm::golden
