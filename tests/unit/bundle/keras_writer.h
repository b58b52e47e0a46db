#pragma once

#include <hdf5.h>

#include <string>
#include <vector>

#include "lib/core/weights/weight_file.h"

/// Weights as Keras's HDF5 format holds them: a group a layer, named in order by the root's attribute `layer_names`; in each group the
/// names of its datasets, in order, as `weight_names`.
class KerasWriter {
public:
    struct Weight {
        std::string name;
        std::vector<hsize_t> shape;
        std::vector<float> values;
    };
    struct Layer {
        std::string name;
        std::vector<Weight> weights;
    };

    static void write(const std::string& path, const std::vector<Layer>& layers) {
        const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        std::vector<std::string> names;
        for (const Layer& layer : layers) {
            names.push_back(layer.name);
            const hid_t group = H5Gcreate2(file, layer.name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
            std::vector<std::string> weights;
            for (const Weight& weight : layer.weights) {
                weights.push_back(weight.name);
                put(group, weight);
            }
            put_names(group, "weight_names", weights);
            H5Gclose(group);
        }
        put_names(file, "layer_names", names);
        H5Fclose(file);
    }

    /// A list of names as h5py writes it: texts of one length, filled up with zeros; an empty one is a list of no numbers.
    static void put_names(hid_t object, const char* name, const std::vector<std::string>& names) {
        std::size_t width = 1;
        for (const std::string& one : names) width = std::max(width, one.size());
        std::string bytes;
        for (const std::string& one : names) bytes += one + std::string(width - one.size(), '\0');
        const hid_t type = names.empty() ? H5Tcopy(H5T_IEEE_F64LE) : H5Tcopy(H5T_C_S1);
        if (!names.empty()) H5Tset_size(type, width);
        if (!names.empty()) H5Tset_strpad(type, H5T_STR_NULLPAD);
        const hsize_t count = names.size();
        const hid_t space = H5Screate_simple(1, &count, nullptr);
        const hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        if (!names.empty()) H5Awrite(attribute, type, bytes.data());
        H5Aclose(attribute);
        H5Sclose(space);
        H5Tclose(type);
    }

    /// A dataset, with the groups of its name. @param creation  other than contiguous
    static void put(hid_t group, const Weight& weight, hid_t creation = H5P_DEFAULT, hid_t type = H5T_IEEE_F32LE) {
        const hid_t links = H5Pcreate(H5P_LINK_CREATE);
        H5Pset_create_intermediate_group(links, 1);
        const hid_t space = H5Screate_simple(static_cast<int>(weight.shape.size()), weight.shape.data(), nullptr);
        const hid_t dataset = H5Dcreate2(group, weight.name.c_str(), type, space, links, creation, H5P_DEFAULT);
        if (!weight.values.empty()) H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, weight.values.data());
        H5Dclose(dataset);
        H5Sclose(space);
        H5Pclose(links);
    }
};

/// Builds the layers of KerasCV's Stable Diffusion out of a checkpoint in the original names, in the order of its code. The sides of
/// kernels are turned as Keras keeps them.
class KerasModel {
public:
    KerasModel(const lcm::WeightFile& file, std::string prefix) : file_(file), prefix_(std::move(prefix)) {}

    bool has(const std::string& name) const { return file_.has(prefix_ + name + ".weight"); }
    /// Begins a layer.
    void layer(const std::string& kind) { layers.push_back({kind + "_" + std::to_string(layers.size()), {}}); }
    /// Adds the weight and, where there is one, the bias of a part of the layer.
    void add(const std::string& name, bool table = false) {
        auto& weights = layers.back().weights;
        const std::string scope = layers.back().name + "/part_" + std::to_string(weights.size());
        weights.push_back(turned(name + ".weight", table, scope + "/kernel:0"));
        if (file_.has(prefix_ + name + ".bias")) weights.push_back(turned(name + ".bias", table, scope + "/bias:0"));
    }
    void add_layer(const std::string& kind, const std::vector<std::string>& names) {
        layer(kind);
        for (const std::string& name : names) add(name);
    }
    /// A layer without weights, as the files list them too.
    void add_empty(const std::string& kind) { layer(kind); }

    std::vector<KerasWriter::Layer> layers;

private:
    KerasWriter::Weight turned(const std::string& name, bool table, const std::string& as) const {
        at::Tensor tensor = file_.view(prefix_ + name).to(at::kFloat);
        if (tensor.dim() == 4) tensor = tensor.permute({2, 3, 1, 0});
        if (tensor.dim() == 2 && !table) tensor = tensor.t();
        tensor = tensor.contiguous();
        KerasWriter::Weight weight{as, {}, {}};
        for (const std::int64_t side : tensor.sizes()) weight.shape.push_back(static_cast<hsize_t>(side));
        const float* values = tensor.const_data_ptr<float>();
        weight.values.assign(values, values + tensor.numel());
        return weight;
    }

    const lcm::WeightFile& file_;
    std::string prefix_;
};
