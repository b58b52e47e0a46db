#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/error.h"
#include "lib/core/adapter/weight_delta.h"
#include "lib/core/weights/weight_file.h"

namespace lcm {

/// Names of the parts of a change, whatever a file's dialect calls them; formats may have others of their own.
namespace part {
inline constexpr std::string_view up = "up";
inline constexpr std::string_view down = "down";
inline constexpr std::string_view mid = "mid";
inline constexpr std::string_view alpha = "alpha";
/// DoRA: one number an output, or one an input, by its shape.
inline constexpr std::string_view magnitude = "magnitude";
/// DoRA as PEFT writes it: one number an output whatever its shape.
inline constexpr std::string_view output_magnitude = "output_magnitude";
inline constexpr std::string_view whole = "whole";
}  // namespace part

/// How a tensor's name ends, and what it then is.
struct Leaf {
    std::string_view ending;                ///< ".lora_up.weight"
    std::string_view part;                  ///< `part::up`
    std::string_view parameter = "weight";  ///< the parameter of the module that it changes: "weight" or "bias"
};

/// The tensors that a file holds for one parameter of one module.
class ModuleParts {
public:
    ModuleParts(const WeightFile& file, std::string module) : file_(&file), module_(std::move(module)) {}

    /// @throws Error(data) naming both tensors when the part is there already
    void add(const Leaf& leaf, const std::string& key);

    bool has(std::string_view part) const { return keys_.contains(part); }
    /// The tensor as the file has it. @throws Error(data) naming file, module and part when it is missing or not of floats
    at::Tensor take(std::string_view part) const;
    /// The same with `dimensions` dimensions at least and 4 at most; @throws Error(data) naming the tensor
    at::Tensor take_matrix(std::string_view part) const;
    /// An error that names the tensor.
    Error fault(std::string_view part, const std::string& what, const std::string& fix = {}) const;

    /// The endings of the names, with the tensor of each.
    const std::map<std::string_view, std::string>& endings() const { return endings_; }
    /// Our name of the module, and a tensor of it for messages.
    const std::string& module() const { return module_; }
    const std::string& any_key() const { return endings_.begin()->second; }
    const WeightFile& file() const { return *file_; }

    /// Takes alpha from elsewhere than the tensor `alpha` (PEFT's configuration). @param rank_stabilized  divide by sqrt(rank)
    void set_alpha(double alpha, bool rank_stabilized);
    /// The recorded alpha. @throws Error(data) when the tensor is no single finite number
    std::optional<double> alpha() const;
    /// alpha / rank, or alpha / sqrt(rank); 1 without an alpha.
    double scale(std::int64_t rank) const;

private:
    const WeightFile* file_;
    std::string module_;
    std::map<std::string_view, std::string> keys_, endings_;
    std::optional<double> alpha_;
    bool rank_stabilized_ = false;
};

/// One way of storing a change. A new one is a file in `formats/` and a line in the table of `delta_formats()`.
struct DeltaFormat {
    std::string_view name;     ///< for reports: "LoRA, kohya names"
    std::vector<Leaf> leaves;  ///< all that may stand in a module of this format
    /// Makes the change. @throws Error(data) naming file and tensor when parts are missing or do not fit each other
    std::unique_ptr<WeightDelta> (*make)(const ModuleParts& parts);
};

/// The table, the first that fits counts.
std::span<const DeltaFormat> delta_formats();

/// The leaf that a tensor's name ends with, the longest of all formats; nullptr for none.
const Leaf* leaf_of(std::string_view key);

}  // namespace lcm
