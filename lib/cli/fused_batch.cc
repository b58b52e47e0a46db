#include "lib/cli/fused_batch.h"

#include <string>
#include <utility>

#include "lib/cli/record_loop.h"
#include "lib/stream/keys.h"

namespace lcm::cli {

void write_picture(Context& context, Record result, std::uint64_t number, bool final) {
    result.final = final;
    if (result.find(key::index) != nullptr) result.set(key::index, std::to_string(number));
    context.add_history(result);
    context.write(std::move(result), number);
}

void FusedBatch::flush(const Denoiser& denoiser) {
    const auto pictures = std::exchange(waiting_, {});
    if (pictures.empty()) return;
    std::vector<DenoiseTask> tasks;
    for (const Picture& picture : pictures) tasks.push_back({picture.record.get(), picture.request, static_cast<int>(picture.number)});
    auto results = denoiser.denoise_together(tasks, context_.observer());
    const Record* failed = nullptr;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        const Record* record = pictures[i].record.get();
        if (record == failed) continue;
        if (results[i].failure) {
            failed = record;
            const auto* id = record->find(key::id);
            fail_record(context_, batch_, *results[i].failure, id == nullptr ? "" : *id);
        } else {
            write_picture(context_, *std::move(results[i].record), pictures[i].number, pictures[i].final);
        }
    }
}

}  // namespace lcm::cli
