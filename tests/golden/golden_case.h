#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.h"
#include "lib/core/weights/weight_file.h"

/// The reference values of testdata/golden, and the rules by which results are compared with them.
namespace lcm::golden {

/// How far one result may lie from its reference. Absent members do not take part.
struct Tolerance {
    double atol = 0, rtol = 0;         ///< |got - want| <= atol + rtol * |want| for every element
    std::optional<double> most = {};   ///< integers: no element differs by more
    std::optional<double> share = {};  ///< at most this share differs at all (with `most`) or exceeds `atol_most` + rtol * |want|
    double atol_most = 0;
    bool info = false;  ///< reported, never fails

    static Tolerance from_json(const Json& json);
};

/// What a comparison found.
struct Difference {
    std::string problem;     ///< empty: within tolerance
    double largest_abs = 0;  ///< largest |got - want|
    double largest_rel = 0;  ///< the same over the largest |want|
};

/// Compares `got` with `want` (any types) in double.
Difference compare(const at::Tensor& got, const at::Tensor& want, const Tolerance& tolerance);

/// One case of cases.json with its file of inputs and expected results.
class Case {
public:
    Case(const Json& json, const Json& group);

    const std::string& id() const { return id_; }
    const Json& args() const { return args_; }
    /// The expected results by name, with the tolerance of each.
    const std::map<std::string, Tolerance>& outputs() const { return outputs_; }

    bool has_input(const std::string& name) const { return file_.has("in." + name); }
    at::Tensor input(const std::string& name) const { return file_.view("in." + name); }
    at::Tensor expected(const std::string& name) const { return file_.view("out." + name); }

private:
    std::string id_;
    Json args_;
    std::map<std::string, Tolerance> outputs_;
    WeightFile file_;
};

/// Results by the names of a case's outputs.
using Results = std::map<std::string, at::Tensor>;

/// The folder testdata/golden. @throws std::runtime_error without the environment variable LCM_TESTDATA
std::string folder();

/// Runs `compute` on every case of `group` and checks each result against the reference; one doctest failure a wrong result, naming case,
/// tensor and the largest error. A result that is missing, or that the case does not name, fails; a group without cases fails.
/// Prints the largest errors of the group.
void check_group(const std::string& group, const std::function<Results(const Case&)>& compute);

/// The cases of cases.json that no `check_group` has run yet.
std::vector<std::string> unvisited_cases();

}  // namespace lcm::golden
