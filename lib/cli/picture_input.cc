#include "lib/cli/picture_input.h"

namespace lcm::cli {

std::optional<Record> PictureInput::next_data() {
    auto record = input_.next();
    while (record && record->is_end()) record = input_.next();
    return record;
}

std::optional<Record> PictureInput::next() {
    const bool first = !started_;
    started_ = true;
    if (!many_ && !first) return std::nullopt;
    auto record = next_data();
    if (first && !record) throw Error(ExitCode::data, "input", "holds no picture", "pipe records of lcm-denoise in");
    if (!many_ && next_data())
        throw Error(ExitCode::usage, "--output", "takes one picture and the input holds more", "write a pattern such as 'out-%04d.png'");
    return record;
}

}  // namespace lcm::cli
