#include "cli/stream/exit_status.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/stream/daemon_return.h"

namespace cli {

using base::Result;

std::string api_time(base::Time time) {
  const auto nanoseconds = time.time_since_epoch().count();
  return fmt::format("{}.{:09}", nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000);
}

Result<spec::api::WaitResponse> wait_for_exit(Cli& cli, client::Client& client, const std::string& name) {
  const base::Time begun = base::now();
  bool lost = false;
  while (true) {
    auto pending = client::Containers{client}.wait(name);
    if (!pending) {
      if (!lost) return pending.error();
      if (pending.error().is(base::ErrorKind::NotFound)) return exit_from_events(client, name, begun);
      if (!client::is_connection_failure(pending.error())) return pending.error();
    } else {
      auto response = pending->get();
      if (response) return response;
    }
    lost = true;
    auto absence = TRY(DaemonReturn::watch(cli));
    TRY(absence.wait());
  }
}

Result<spec::api::WaitResponse> exit_from_events(client::Client& client, const std::string& id,
                                                 base::Time since) {
  client::EventsOptions options;
  options.since = api_time(since);
  options.until = api_time(base::now());
  options.filters = {{"container", {id}}, {"event", {"die"}}};
  auto events = TRY(client.events(options));
  spec::api::WaitResponse out;
  bool found = false;
  while (const auto event = TRY(events.next())) {
    const auto code = event->actor.attributes.find("exitCode");
    if (code == event->actor.attributes.end()) continue;
    out.status_code = base::parse_int(code->second).value_or(0);
    found = true;
  }
  if (!found) return base::not_found("No such container: " + id);
  return out;
}

}  // namespace cli
