#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "lib/stream/record.h"

namespace lcm::cli {

/// Output names of several records or pictures: a path with `%d` or `%0Nd` (the number, counted from 0), `{seed}` and `{id}`.
/// `%%`, `{{` and `}}` are the signs themselves.
class OutputPattern {
public:
    /// @throws Error(usage) for any other use of `%`, `{` and `}`
    explicit OutputPattern(const std::string& text);

    /// False for a plain path, which can take one stream or picture only.
    bool takes_many() const;

    /// The path of a pattern that takes one only.
    const std::string& plain() const { return parts_.front().text; }

    /// The path of number `number`. A seed is digits; of an id only letters, digits, `.`, `_` and `-` are kept, others become `_`, so that
    /// what stands in a record never leads out of the folder the user named.
    /// @throws Error(data) when the record has no such value or the id no such sign
    std::string path(std::uint64_t number, const Record& record) const;

    /// The path for a file that is made now: each name of a pattern is given once. @throws as `path`, and Error(usage) for a name given
    /// before
    std::string take(std::uint64_t number, const Record& record);

private:
    enum class Field { none, number, seed, id };
    struct Part {
        std::string text;  ///< stands before the field
        Field field = Field::none;
        int width = 0;  ///< digits of a number
    };

    std::size_t take_number(const std::string& text, std::size_t at);
    std::size_t take_brace(const std::string& text, std::size_t at);
    void end_part(Field field, int width = 0);

    std::vector<Part> parts_{1};             ///< the last one has no field
    std::unordered_set<std::size_t> taken_;  ///< hashes of names
};

}  // namespace lcm::cli
