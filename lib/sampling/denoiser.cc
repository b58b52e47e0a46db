#include "lib/sampling/denoiser.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string>
#include <utility>

#include "lib/base/log.h"
#include "lib/base/stop.h"
#include "lib/sampling/fused_unet.h"
#include "lib/sampling/picture_run.h"
#include "lib/sampling/sampler.h"
#include "lib/sampling/schedule.h"
#include "lib/stream/keys.h"

namespace lcm {

struct Denoiser::State : DenoiseModel {
    using DenoiseModel::DenoiseModel;
};

namespace {

/// Custom timesteps are held against the distillation schedule where the sampler has one.
std::vector<std::string> warnings_of(const RunSettings& settings) {
    if (!sampler_kind(settings.sampler, ExitCode::software, key::sampler).takes_lcm_strength) return {};
    return timestep_warnings(settings.schedule, settings.strength.value_or(Strength()));
}

/// The steps of a record that has no more to come; nothing for any other.
std::optional<int> finished_steps(const Record& record) {
    if (record.find(key::step) == nullptr) return std::nullopt;
    const Progress progress = progress_of(record);
    return progress.done == progress.steps ? std::optional(progress.steps) : std::nullopt;
}

void tell_evaluation(Observer& observer, const UNetInputs& inputs) {
    observer.on_network(inputs.sample.size(0), inputs.sample.size(2), inputs.sample.size(3));
}

}  // namespace

Denoiser::Denoiser(const Bundle& bundle, AdapterSet adapters, ControlSet control)
    : state_(std::make_unique<State>(bundle, std::move(adapters), std::move(control))) {}
Denoiser::~Denoiser() = default;

/// A run of a record, or nothing for one that is passed on. @throws as PictureRun
std::unique_ptr<PictureRun> Denoiser::begin(const DenoiseTask& task, std::optional<Record>& passed) const {
    const Record& input = *task.input;
    if (const auto steps = finished_steps(input)) {
        state_->check.expect_same_model(input, Part::unet);
        state_->check.expect_latent(input);
        passed = pass_finished(input, task.request, *steps);
        return nullptr;
    }
    auto run = std::make_unique<PictureRun>(*state_, input, task.request);
    if (!run->was_started() && task.index == 0)  // every picture of a run has the same list
        for (const std::string& warning : warnings_of(run->settings())) warn(warning);
    return run;
}

Record Denoiser::denoise(const Record& input, const DenoiseRequest& request, int index, Observer& observer) const {
    const c10::InferenceMode no_gradients;
    std::optional<Record> passed;
    const auto run = begin({&input, request, index}, passed);
    if (!run) return *std::move(passed);
    observer.on_start(index, run->step(), run->steps());
    while (!run->is_done()) {
        check_stop();
        const UNetInputs question = run->question();
        tell_evaluation(observer, question);
        run->take(state_->unet.evaluate(question));
        observer.on_step(index, run->step(), run->steps());
    }
    return run->finish();
}

namespace {

/// A picture among those that are denoised together.
struct Member {
    std::unique_ptr<PictureRun> run;
    Denoised result;

    bool is_active() const { return run && !result.failure && !run->is_done(); }

    /// Does something of this picture alone: what fails here ends it, not the others.
    template <typename Work>
    void guard(const Work& work) {
        if (result.failure) return;
        try {
            work();
        } catch (const Error& error) {
            result.failure = error;
        }
    }
};

/// A step of all members that have one to come.
void step_together(FusedUNet& unet, std::vector<Member>& members, Observer& observer) {
    std::vector<Member*> asking;
    std::vector<UNetInputs> questions;
    for (Member& member : members) {
        if (!member.is_active()) continue;
        member.guard([&] {
            questions.push_back(member.run->question());
            asking.push_back(&member);
        });
    }
    for (const UNetInputs& question : questions) tell_evaluation(observer, question);
    const std::vector<UNetOutputs> answers = unet.evaluate(questions);
    for (std::size_t i = 0; i < asking.size(); ++i) asking[i]->guard([&] { asking[i]->run->take(answers[i]); });
}

}  // namespace

std::vector<Denoised> Denoiser::denoise_together(const std::vector<DenoiseTask>& tasks, Observer& observer) const {
    const c10::InferenceMode no_gradients;
    std::vector<Member> members(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) members[i].guard([&] { members[i].run = begin(tasks[i], members[i].result.record); });
    FusedUNet unet(state_->unet);
    const auto first = [&] { return std::ranges::find_if(members, &Member::is_active); };
    if (const auto shown = first(); shown != members.end()) {
        const auto index = tasks[static_cast<std::size_t>(shown - members.begin())].index;
        observer.on_start(index, shown->run->step(), shown->run->steps());
        while (first() != members.end()) {
            check_stop();
            observer.on_fused(static_cast<int>(std::ranges::count_if(members, &Member::is_active)));
            step_together(unet, members, observer);
            observer.on_step(index, shown->run->step(), shown->run->steps());
        }
        observer.on_fused(1);
    }
    std::vector<Denoised> results;
    for (Member& member : members) {
        member.guard([&] {
            if (member.run) member.result.record = member.run->finish();
        });
        results.push_back(std::move(member.result));
    }
    return results;
}

}  // namespace lcm
