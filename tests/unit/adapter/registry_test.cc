#include <doctest/doctest.h>

#include "lib/core/adapter/adapted_weights.h"
#include "lib/optimize/init.h"
#include "tests/unit/adapter/small_model.h"
#include "tests/unit/caught_error.h"
#include "tests/unit/random_weights.h"

using namespace lcm;

TEST_CASE("a name stands in the list of adapters once") {
    CHECK(adapter_registry().names() == std::vector<std::string>{"lora"});
    const AdapterKind kind{"lora", {}};
    check_error(ExitCode::software, {"\"lora\" is registered twice"}, [&] { AdapterRegistry({kind, kind}); });
}

TEST_CASE("an unknown kind and a schedule are refused") {
    const TemporaryFolder folder;
    const std::string path = write_file(folder / "a.safetensors", safetensors_bytes(plain_lora()));
    AdapterEntry entry{.id = "a", .kind = "style"};
    check_error(ExitCode::data, {path, "kind \"style\"", "lora"}, [&] { adapter_registry().open(entry, path, small_target()); });
    entry.kind = "lora";
    CHECK(adapter_registry().open(entry, path, small_target())->changes(Network::unet));
    entry.schedule = "0-2";
    check_error(ExitCode::unavailable, {path, "schedule"}, [&] { adapter_registry().open(entry, path, small_target()); });
}

TEST_CASE("the defaults of an adapter change nothing") {
    struct Nothing : BaseAdapter {};
    AdapterSet set;
    set.adapters.push_back(std::make_shared<Nothing>());
    RandomWeights weights;
    AdaptedWeights adapted(weights, set, Network::unet);
    const at::Tensor plain = weights.take("w", {2, 3});
    CHECK(adapted.take("w", {2, 3}).const_data_ptr() == plain.const_data_ptr());
    CHECK_FALSE(adapted.branch("w", {2, 3}).down.defined());
    CHECK_FALSE(set.changes(Network::unet));
    const BaseAdapter& nothing = *set.adapters.front();
    CHECK(nothing.initial(plain, {}).is_same(plain));
    CHECK(nothing.before_unet(plain, {}).is_same(plain));
    CHECK(nothing.after_unet(plain, {}).is_same(plain));
    CHECK(nothing.denoised(plain, {}).is_same(plain));
    CHECK(nothing.final(plain, {}).is_same(plain));
    CHECK(nothing.conditions({plain, {}}).context.is_same(plain));
}

TEST_CASE("no adapters add no layer over the weights") { CHECK_FALSE(weight_layer({}, Network::unet).is_there()); }
