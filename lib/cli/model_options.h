#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/core/bundle/bundle.h"
#include "lib/stream/record.h"

namespace CLI {
class App;
}

namespace lcm::cli {

/// `-m/--model`: a model folder or checkpoint, or the name of an installed model; and files that take the place of its parts.
struct ModelOptions {
    std::string model;  ///< empty: the record's own model, else the embedded one
    ModelFiles files;   ///< what the other flags say; path and name stay empty

    /// @param parts  those that the tool uses: each gets a flag
    void declare(CLI::App& app, const std::vector<Part>& parts = {});
    /// `--precision`, for a tool that computes with UNet or VAE.
    void declare_precision(CLI::App& app);
    /// `--lenient` alone, for a command that declares `-m` itself; the other declarations have it.
    void declare_lenient(CLI::App& app);
    /// `-m` alone, also as an operand, for a tool that reads whole models.
    void declare_operand(CLI::App& app, const std::string& help);

    /// The model the user named, else the embedded one. @throws Error(no_input) listing what is installed
    Bundle open() const;

    /// The model the user named, else the one `record` names (`lcm.model`), else the embedded one.
    ///
    /// A recorded name is a hint: an installed model of that name is taken, a folder or file only when the weights of a part that the
    /// record has used hash to what it recorded. @throws Error(data) when the hint leads nowhere
    Bundle open_for(const Record& record) const;

private:
    void declare_files(CLI::App& app);
    void declare_device(CLI::App& app);
    Bundle open_path(const std::string& path, const std::string& name, const Record* record = nullptr) const;
    Bundle open_named(const std::string& name, const Record* record = nullptr) const;
    Precision precision_for(const Record* record, at::Device device) const;
    at::Device device_for(const Record* record) const;
    bool leaves_precision(const Record* record) const;

    std::string device_ = "cpu";  ///< auto for a tool that has the flag
    std::string pack_cache_ = "auto";
    std::string precision_;              ///< empty: the record's own, else int8 for a quantized model, else f32
    std::map<Part, std::string> parts_;  ///< by flag; empty where it was not given
};

/// Folders in which a model's name is looked up, in order: those of `LCM_MODEL_PATH` (with colons), the user's own
/// (`$XDG_DATA_HOME/lcm/models`), and the one that comes with the tools.
std::vector<std::string> model_path();

/// A model that can be named without a path.
struct InstalledModel {
    std::string name, folder;
};

/// The models of `model_path()`, sorted by name; of two with one name the first counts.
std::vector<InstalledModel> installed_models();

}  // namespace lcm::cli
