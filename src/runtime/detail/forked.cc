#include "runtime/detail/forked.h"

#include <utility>

#include "runtime/detail/final_stage.h"
#include "runtime/detail/process_setup.h"

namespace runtime::detail {

using base::Result;

Result<Forked> await_fork(const Channel& channel, const std::string& program) {
  Forked out;
  while (true) {
    auto packet = TRY(channel.receive());
    if (!packet) return base::internal(std::string{kEndedUnexpectedly});
    if (packet->topic == Topic::Ready) {
      if (!packet->fds.empty()) out.master = std::move(packet->fds.front());
      continue;
    }
    if (packet->topic != Topic::ScriptReport) return base::internal("a message out of turn from the helper");
    const auto step = static_cast<Step>(packet->step);
    if (packet->result < 0) return step_error(step, static_cast<int>(-packet->result), program);
    if (step != Step::Fork) {
      out.early = std::move(*packet);
      continue;
    }
    out.process = TRY(sys::Process::open(static_cast<pid_t>(packet->result)));
    return out;
  }
}

Result<> schedule(const Channel& channel, pid_t pid, std::optional<Packet>& early,
                  const spec::oci::Process& process, const std::string& cpus) {
  auto packet = early ? std::exchange(early, std::nullopt) : TRY(channel.receive());
  if (!packet) return base::internal(std::string{kEndedUnexpectedly});
  if (packet->topic != Topic::ScriptReport) return base::internal("a message out of turn from the process");
  const auto step = static_cast<Step>(packet->step);
  if (packet->result < 0) return step_error(step, static_cast<int>(-packet->result), process.args[0]);
  if (step != Step::Scheduler) return base::internal("a message out of turn from the process");
  TRY(apply_scheduler(pid, *process.scheduler, cpus));
  return channel.send(Topic::Scheduled);
}

}  // namespace runtime::detail
