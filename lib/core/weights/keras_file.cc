#include "lib/core/weights/keras_file.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <string_view>
#include <utility>

#include "lib/base/error.h"

namespace lcm {
namespace {

// Far above any published model; a file that says more is broken or means harm.
constexpr hsize_t most_names = 20'000;
constexpr std::size_t longest_name = 1024, most_weights = 100'000;
constexpr int most_sides = 4;
constexpr const char* save_again = "save it again with Keras 2: model.save_weights(\"weights.h5\")";

/// An object of the HDF5 library, given back at the end.
class Handle {
public:
    Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
    Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    Handle& operator=(Handle&&) = delete;
    ~Handle() {
        if (id_ >= 0) close_(id_);
    }
    operator hid_t() const { return id_; }
    bool valid() const { return id_ >= 0; }

private:
    hid_t id_;
    herr_t (*close_)(hid_t);
};

/// Reads one file; every message names it and what in it is wrong.
class KerasReader {
public:
    explicit KerasReader(const std::string& path) : path_(path), file_(open(path)) {}

    std::vector<KerasLayer> layers() const {
        const std::string root = has_attribute("/", "layer_names") ? "/" : "/model_weights";  // of a whole saved model
        if (!exists(root) || !has_attribute(root, "layer_names"))
            throw Error(ExitCode::data, path_, "is an HDF5 file without layer_names, which Keras's weight files have", save_again);
        std::vector<KerasLayer> layers;
        std::size_t count = 0;
        for (const std::string& name : names(root, "layer_names")) {
            const std::string group = root == "/" ? "/" + name : root + "/" + name;
            expect_own(group);
            KerasLayer layer{name, {}};
            for (const std::string& weight : names(group, "weight_names")) layer.weights.push_back(describe(group + "/" + weight));
            if ((count += layer.weights.size()) > most_weights) refuse(group, fmt::format("more than {} weights", most_weights));
            if (!layer.weights.empty()) layers.push_back(std::move(layer));
        }
        return layers;
    }

private:
    [[noreturn]] void refuse(const std::string& where, const std::string& what, const char* fix = "download it again") const {
        throw Error(ExitCode::data, fmt::format("{}: dataset \"{}\"", path_, where), what, fix);
    }

    static Handle open(const std::string& path) {
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // our messages, not the library's
        Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
        if (!file.valid()) throw Error(ExitCode::data, path, "is a broken or truncated HDF5 file", "download it again");
        return file;
    }

    /// True when the link of each part of `name` is there and leads to no other file or place.
    bool exists(const std::string& name) const {
        for (std::size_t end = name.find('/', 1); name != "/"; end = name.find('/', end + 1)) {
            const std::string part = name.substr(0, end);
            H5L_info_t link;
            if (H5Lexists(file_, part.c_str(), H5P_DEFAULT) <= 0 || H5Lget_info(file_, part.c_str(), &link, H5P_DEFAULT) < 0) return false;
            if (link.type != H5L_TYPE_HARD) refuse(part, "is a link to another place, which is not followed", save_again);
            if (end == std::string::npos) break;
        }
        return true;
    }
    void expect_own(const std::string& name) const {
        if (name.find('\0') != std::string::npos || !exists(name)) refuse(name, "is missing");
    }

    bool has_attribute(const std::string& group, const std::string& name) const {
        return H5Aexists_by_name(file_, group.c_str(), name.c_str(), H5P_DEFAULT) > 0 ||
               H5Aexists_by_name(file_, group.c_str(), (name + "0").c_str(), H5P_DEFAULT) > 0;
    }

    /// A list of names; a long one is cut into `name0`, `name1` and so on.
    std::vector<std::string> names(const std::string& group, const std::string& name) const {
        if (H5Aexists_by_name(file_, group.c_str(), name.c_str(), H5P_DEFAULT) > 0) return attribute(group, name);
        std::vector<std::string> all;
        for (int piece = 0;; ++piece) {
            const std::string numbered = fmt::format("{}{}", name, piece);
            if (H5Aexists_by_name(file_, group.c_str(), numbered.c_str(), H5P_DEFAULT) <= 0) {
                if (piece == 0) refuse(group, fmt::format("has no {}", name), save_again);
                return all;
            }
            const auto more = attribute(group, numbered);
            all.insert(all.end(), more.begin(), more.end());
            if (all.size() > most_names) refuse(group, fmt::format("{} lists more than {} names", name, most_names));
        }
    }

    std::vector<std::string> attribute(const std::string& group, const std::string& name) const {
        const Handle attribute(H5Aopen_by_name(file_, group.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
        const Handle type(attribute.valid() ? H5Aget_type(attribute) : -1, H5Tclose);
        const Handle space(attribute.valid() ? H5Aget_space(attribute) : -1, H5Sclose);
        if (!type.valid() || !space.valid()) refuse(group, fmt::format("{} cannot be read", name));
        const hssize_t count = H5Sget_simple_extent_npoints(space);
        // Of a layer without weights the empty list is one of numbers.
        if (count == 0 || H5Sget_simple_extent_type(space) == H5S_NULL) return {};
        if (H5Tget_class(type) != H5T_STRING) refuse(group, fmt::format("{} is no list of names", name), save_again);
        if (count < 0 || static_cast<hsize_t>(count) > most_names) refuse(group, fmt::format("{} lists {} names", name, count));
        return H5Tis_variable_str(type) > 0 ? variable_names(attribute, type, space, group) : fixed_names(attribute, type, group, count);
    }

    std::vector<std::string> fixed_names(hid_t attribute, hid_t type, const std::string& group, hssize_t count) const {
        const std::size_t width = H5Tget_size(type);
        if (width == 0 || width > longest_name) refuse(group, fmt::format("has names of {} bytes", width));
        std::string bytes(width * static_cast<std::size_t>(count), '\0');
        if (H5Aread(attribute, type, bytes.data()) < 0) refuse(group, "its names cannot be read");
        std::vector<std::string> names;
        for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
            const std::string_view one = std::string_view(bytes).substr(i * width, width);
            names.emplace_back(one.substr(0, one.find('\0')));
        }
        return names;
    }

    std::vector<std::string> variable_names(hid_t attribute, hid_t type, hid_t space, const std::string& group) const {
        std::vector<char*> texts(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)), nullptr);
        if (H5Aread(attribute, type, texts.data()) < 0) refuse(group, "its names cannot be read");
        std::vector<std::string> names;
        for (const char* text : texts) names.emplace_back(text == nullptr ? "" : text);
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts.data());
        return names;
    }

    Dtype dtype_of(hid_t dataset, const std::string& name) const {
        const Handle type(H5Dget_type(dataset), H5Tclose);
        if (H5Tequal(type, H5T_IEEE_F32LE) > 0) return Dtype::F32;
        if (H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) == 2 && H5Tget_order(type) == H5T_ORDER_LE && is_half(type))
            return Dtype::F16;
        refuse(name, "is neither float32 nor float16", save_again);
    }
    static bool is_half(hid_t type) {
        std::size_t sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
        return H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) >= 0 && exponent_bits == 5 &&
               mantissa_bits == 10;
    }

    KerasWeight describe(const std::string& name) const {
        expect_own(name);
        const Handle dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
        if (!dataset.valid()) refuse(name, "is no dataset, or a broken one");
        KerasWeight weight{name, dtype_of(dataset, name), {}, 0};
        const Handle space(H5Dget_space(dataset), H5Sclose), creation(H5Dget_create_plist(dataset), H5Pclose);
        const int sides = H5Sget_simple_extent_ndims(space);
        if (sides < 1 || sides > most_sides) refuse(name, fmt::format("has {} sides, a weight has 1 to {}", sides, most_sides));
        hsize_t shape[most_sides];
        H5Sget_simple_extent_dims(space, shape, nullptr);
        for (int i = 0; i < sides; ++i) {
            constexpr hsize_t largest = hsize_t{1} << 31;
            if (shape[i] == 0 || shape[i] > largest) refuse(name, fmt::format("has a side of {}", shape[i]));
            weight.shape.push_back(static_cast<std::int64_t>(shape[i]));
        }
        if (H5Pget_external_count(creation) > 0) refuse(name, "is kept in another file", save_again);
        const haddr_t offset = H5Pget_layout(creation) == H5D_CONTIGUOUS ? H5Dget_offset(dataset) : HADDR_UNDEF;
        if (offset == HADDR_UNDEF) refuse(name, "is compressed, in pieces or without data", save_again);
        weight.offset = offset;
        return weight;
    }

    std::string path_;
    Handle file_;
};

}  // namespace

std::vector<KerasLayer> read_keras_file(const std::string& path) { return KerasReader(path).layers(); }

}  // namespace lcm
