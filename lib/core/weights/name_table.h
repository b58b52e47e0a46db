#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace lcm {

/// Which piece of a stored tensor a parameter is.
enum class Cut {
    whole,
    first_third,  ///< rows, as in the stacked q, k and v of OpenCLIP
    second_third,
    last_third,
    transposed,  ///< a matrix kept for x W instead of x W^T
};

/// A parameter of ours inside a stored tensor.
struct Target {
    std::string name;
    Cut cut = Cut::whole;
};

/// Where the parameters of one part stand in a file with names other than ours. Stored names are looked up, never taken apart.
struct NameTable {
    std::string prefix;                                 ///< of the part's tensors in the file; tensors without it are not looked at
    std::map<std::string, std::vector<Target>> stored;  ///< by the name behind the prefix
    std::set<std::string> unused;                       ///< names behind the prefix, known to be in files and in no network
};

}  // namespace lcm
