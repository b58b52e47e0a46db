#include "lib/cli/record_loop.h"

#include <fmt/format.h>

#include "lib/base/json.h"
#include "lib/base/number.h"
#include "lib/metrics/trace.h"
#include "lib/stream/keys.h"

namespace lcm::cli {
namespace {

class Loop {
public:
    Loop(Context& context, RecordFeed& feed, const BatchOptions& batch, const std::function<void()>& settle)
        : context_(context), feed_(feed), batch_(batch), settle_(settle) {}

    void run(const RecordWork& work) {
        while (auto record = next())
            if (record->is_end())
                pass_end(*record);
            else if (record->is_error())
                pass_error(*record);
            else
                take(*record, work);
        settle();
        if (lost_inputs_ == 0) return;
        throw Error(context_.result(), "",
                    fmt::format("{} input{} could not be read to the end", lost_inputs_, lost_inputs_ == 1 ? "" : "s"),
                    "the messages above say why");
    }

private:
    /// The next record; inputs that fail are told and left.
    std::optional<Record> next() {
        for (;;) try {
                const auto timed = context_.meter().time(Stage::read);
                return feed_.next();
            } catch (const RecordFailure& error) {
                if (!batch_.keep_going) throw;
                settle();
                fail_record(context_, batch_, error, error.id());
                ++count_;
            } catch (const Error& error) {
                if (!batch_.keep_going || !feed_.can_go_on()) throw;
                context_.note_failure(error);
                ++lost_inputs_;
            }
    }

    void take(Record& record, const RecordWork& work) {
        const auto number = record_number(record, count_++);
        if (!batch_.takes(number)) return;
        if (batch_.shards > 1) record.set(key::index, std::to_string(number));
        const auto* id = record.find(key::id);
        const std::string name = id == nullptr ? "" : *id;
        if (auto* trace = context_.meter().trace()) trace->join(record);
        context_.progress().begin();
        const auto working = context_.begin_work();
        try {
            work(record, number);
            context_.progress().rest();
        } catch (const Error& error) {
            context_.progress().rest();
            if (batch_.keep_going) settle();  // the error stands behind what came before
            fail_record(context_, batch_, error, name);
        }
    }

    void settle() {
        if (!settle_) return;
        const auto working = context_.begin_work();
        settle_();
        context_.progress().rest();
    }

    void pass_end(const Record& record) {
        settle();
        context_.pass_on(record);
    }

    /// A request that failed before; its number is used up, so that the others keep theirs.
    void pass_error(const Record& record) {
        ++count_;
        settle();
        context_.note_failure(upstream_error(record));
        context_.pass_on(record);
    }

    Context& context_;
    RecordFeed& feed_;
    const BatchOptions& batch_;
    const std::function<void()>& settle_;
    std::uint64_t count_ = 0;
    std::size_t lost_inputs_ = 0;
};

}  // namespace

std::uint64_t record_number(const Record& record, std::uint64_t count) {
    const auto* index = record.find(key::index);
    if (index == nullptr) return count;
    if (const auto number = parse_u64(*index)) return *number;
    throw Error(ExitCode::data, record.place, fmt::format("key \"{}\": {} is no number", key::index, json_quote(*index)),
                "take the shard again");
}

void fail_record(Context& context, const BatchOptions& batch, const Error& error, const std::string& id) {
    // A full disk or a lost machine is no fault of the record.
    const bool of_record = error.code() != ExitCode::io && error.code() != ExitCode::system && error.code() != ExitCode::software;
    if (!batch.keep_going || !of_record) throw error;
    context.note_failure(error);
    context.write_error(error, id);
}

ExitCode for_each_record(Context& context, RecordFeed& feed, const BatchOptions& batch, const RecordWork& work,
                         const std::function<void()>& settle) {
    Loop(context, feed, batch, settle).run(work);
    return context.result();
}

}  // namespace lcm::cli
