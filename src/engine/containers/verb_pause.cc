#include "engine/containers/verbs.h"
#include "sys/crash_point.h"

namespace engine {
namespace {

base::Result<> freeze_or_thaw(Core& core, const ContainerPtr& container, Step step) {
  const std::lock_guard verb{container->verbs};
  const auto record = container->record();
  TRY(advance(record->state, step, record->id));
  const auto run = TRY(running(container));
  const bool pausing = step == Step::Pause;
  TRY((pausing ? run->client().pause() : run->client().resume())
          .context("Cannot " + std::string{pausing ? "pause" : "unpause"} + " container " + record->id));
  CRASH_POINT("engine.pause.done");
  // It may have been killed meanwhile; then the exit has the last word.
  bool done = false;
  const auto now = container->update([&](Record& newest) {
    const auto next = advance(newest.state, step, newest.id);
    done = next.has_value();
    if (next) newest.state = *next;
  });
  if (!done) return base::conflict("container " + record->id + " is not running");
  save_or_log(core, *now);
  publish(core, *now, pausing ? "pause" : "unpause");
  return {};
}

}  // namespace

base::Result<> pause(Core& core, const ContainerPtr& container) { return freeze_or_thaw(core, container, Step::Pause); }
base::Result<> unpause(Core& core, const ContainerPtr& container) { return freeze_or_thaw(core, container, Step::Unpause); }

}  // namespace engine
