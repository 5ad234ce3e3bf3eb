#include "base/scope_guard.h"
#include "engine/containers/verbs.h"

namespace engine {

base::Result<> restart(Core& core, const ContainerPtr& container, const StopOptions& options) {
  const auto record = container->record();
  if (record->state == State::Removing || record->state == State::Dead) {
    return base::conflict("container is marked for removal and cannot be started");
  }
  const std::string intent = "Cannot restart container " + record->name;
  // Neither --rm nor the restart policy acts on the end that this verb brings about.
  container->set_restarting_by_client(true);
  const base::ScopeGuard reset{[&] { container->set_restarting_by_client(false); }};
  if (counts_as_running(record->state)) {
    TRY(stop_running(core, container, options).context(intent));
    publish(core, *container->record(), "stop");
  }
  const auto started = start(core, container);
  if (!started && !started.error().is(base::ErrorKind::NotModified)) {
    return base::Error{started.error()}.context(intent);
  }
  publish(core, *container->record(), "restart");
  return {};
}

}  // namespace engine
