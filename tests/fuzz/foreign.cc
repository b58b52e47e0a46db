// Plain safetensors that are taken for records, of any kind or of ComfyUI, can be written as a stream and are read back equal.

#include "lib/stream/comfy.h"
#include "lib/stream/record_head.h"
#include "tests/fuzz/records.h"

namespace {

using namespace lcm;

constexpr std::size_t most_keys = 200;  // a record's own keys must find room beside those of the file

bool is_plain(std::span<const std::byte> file) {
    try {
        const auto head = read_head(*source_from_memory(file, "memory"), {}, "memory");
        return head && head->plain && head->header.metadata.size() <= most_keys;
    } catch (const Error&) {
        return false;
    }
}

std::vector<Record> accepted(std::span<const std::byte> file, const ReadOptions& options) {
    try {
        return fuzz::read_records(file, options);
    } catch (const Error&) {
        return {};
    }
}

void check(const std::vector<Record>& records) {
    if (records.empty()) return;
    fuzz::expect(std::ranges::count_if(records, &Record::final) == 1 && records.back().final, "the last record alone is final");
    fuzz::expect(std::ranges::equal(records, fuzz::read_records(fuzz::written(records)), fuzz::same_record),
                 "what was taken for records is read back equal");
}

void check_comfy(const std::vector<Record>& records) {
    if (records.empty()) return;
    Bytes file;
    write_comfy(*sink_to_memory(file, "memory"), records);
    fuzz::expect(std::ranges::equal(records, fuzz::read_records(file, {.from_comfy = true}), fuzz::same_record),
                 "latents of ComfyUI are read back equal");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = fuzz::bytes_of(data, size);
    if (size > fuzz::largest_input || !is_plain(file)) return 0;
    for (const char* kind : {"latent", "cond", "noise", "image"}) check(accepted(file, {.assume_kind = kind}));
    const auto latents = accepted(file, {.from_comfy = true});
    check(latents);
    check_comfy(latents);
    return 0;
}
