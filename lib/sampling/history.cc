#include "lib/sampling/history.h"

#include <fmt/format.h>

#include <algorithm>

namespace lcm {

std::vector<std::string> history_names(int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(fmt::format("output.{}", i));
    return names;
}

std::vector<at::Tensor> history_of(const SamplerState& state) {
    std::vector<at::Tensor> outputs;
    for (const std::string& name : history_names(static_cast<int>(state.memory.size())))
        if (const auto found = state.memory.find(name); found != state.memory.end()) outputs.push_back(found->second);
    return outputs;
}

void remember(SamplerState& state, const at::Tensor& output, int keep) {
    std::vector<at::Tensor> outputs = history_of(state);
    for (const std::string& name : history_names(static_cast<int>(outputs.size()))) state.memory.erase(name);
    outputs.push_back(output);
    if (std::ssize(outputs) > keep) outputs.erase(outputs.begin(), outputs.end() - keep);
    const std::vector<std::string> names = history_names(static_cast<int>(outputs.size()));
    for (std::size_t i = 0; i < outputs.size(); ++i) state.memory[names[i]] = outputs[i];
}

}  // namespace lcm
