#include "runtime/detail/start_hooks.h"

#include <csignal>

#include <linux/seccomp.h>
#include <unistd.h>

#include <fmt/format.h>

#include "runtime/detail/channel.h"
#include "runtime/detail/hooks.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace runtime::detail {

using base::Result;
using sys::UniqueFd;

namespace {

struct Prepared {
  FinalStage stage;
  spec::oci::Process process;
  std::optional<SeccompProgram> seccomp;
};

/// The container's own last steps, for another program, without a terminal and without a wait.
Result<> prepare(const spec::oci::Hook& hook, const FinalStage& container, Prepared& out) {
  out.process = *container.process;
  out.process.args = hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args;
  out.process.terminal = false;
  out.stage.process = &out.process;
  out.stage.program = hook.path;
  // Without one of its own it has the container's, as it always had with runc.
  out.stage.env = hook.env.empty() ? container.env : hook.env;
  out.stage.capabilities = container.capabilities;
  if (container.host_proc) out.stage.host_proc = TRY(sys::duplicate(container.host_proc.get()));
  if (container.seccomp != nullptr) {
    out.seccomp = *container.seccomp;
    // Nobody serves a listener yet: what the filter would ask user space gets ENOSYS.
    out.seccomp->notifies = false;
    out.seccomp->flags &= ~static_cast<std::uint32_t>(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
    out.stage.seccomp = &*out.seccomp;
  }
  return {};
}

/// In the hook's process.
base::Error become(const spec::oci::Hook& hook, const FinalStage& container, int input, int output,
                   int report) {
  Prepared prepared;
  const auto ready = [&]() -> Result<> {
    TRY(prepare(hook, container, prepared));
    TRY(sys::place_descriptor(input, 0, false));
    TRY(sys::place_descriptor(output, 1, false));
    return sys::place_descriptor(output, 2, false);
  }();
  return ready ? run_final_stage(std::move(prepared.stage), report) : ready.error();
}

Result<> run_one(const spec::oci::Hook& hook, const std::string& state, const FinalStage& container) {
  const UniqueFd input = TRY(sys::make_memory_file(state));
  const UniqueFd output = TRY(sys::make_memory_file());
  auto pair = TRY(Channel::make());
  const sys::Process child = TRY(sys::clone_process({}));
  if (!child.valid()) {
    pair.parent.close();
    pair.child.send_failure(become(hook, container, input.get(), output.get(), pair.child.fd()));
    ::_exit(1);
  }
  pair.child.close();
  // It ends with the end of file, when the hook's program runs, or with a failed step.
  const auto heard = [&]() -> Result<> {
    const auto packet = TRY(pair.parent.receive());
    if (!packet) return {};
    return step_error(static_cast<Step>(packet->step), static_cast<int>(-packet->result), hook.path);
  }();
  if (!heard) {
    base::ignore(child.signal(SIGKILL), "it is about to end by itself");
    base::ignore(child.wait(), "only to reap it");
    return heard;
  }
  return finish_hook(hook, child, output.get());
}

}  // namespace

Result<> run_start_hooks(const std::vector<spec::oci::Hook>& hooks, const std::string& state,
                         const FinalStage& stage) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    TRY(run_one(hooks[i], state, stage).context(fmt::format("error running startContainer hook #{}", i)));
  }
  return {};
}

}  // namespace runtime::detail
