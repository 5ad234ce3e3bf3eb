#include <csignal>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "runtime/detail/container_data.h"
#include "runtime/detail/final_stage.h"
#include "sys/socket.h"

namespace runtime::detail {

using base::Error;
using base::Result;

namespace {

/// Hands the filter's listener to who serves it. Source: OCI config-linux.md "The Container Process State".
Result<> pass_listener(const Channel& channel, const sys::Process& process, const State& state, int number) {
  const sys::UniqueFd listener = TRY(process.take_descriptor(number).context("take the seccomp listener"));
  const sys::UniqueFd socket =
      TRY(sys::connect_unix(state.seccomp_listener, SOCK_STREAM).context("failed to connect with seccomp agent"));
  auto document = codec::Json::object({{"ociVersion", state.oci_version}, {"pid", process.pid()}});
  document.set("fds", codec::Json::array({codec::Json{"seccompFd"}}));
  if (!state.seccomp_metadata.empty()) document.set("metadata", state.seccomp_metadata);
  document.set("state", oci_document(state));
  TRY(sys::send_message(socket.get(), document.dump(), {listener.get()}).context("pass the seccomp listener"));
  return channel.send(Topic::ListenerTaken);
}

}  // namespace

Result<> wait_for_exec(const Channel& channel, const sys::Process& process, const State& state, const std::string& program,
                       std::optional<std::chrono::milliseconds> patience, std::optional<Packet> first) {
  while (true) {
    if (!first && patience && !sys::poll_readable(channel.fd(), patience)) {
      return base::internal(fmt::format("{} was not executed within {} ms: something in the container may have stopped the "
                                        "process", program, patience->count()));
    }
    const auto packet = first ? std::exchange(first, std::nullopt) : TRY(channel.receive());
    if (!packet) return {};
    if (packet->topic != Topic::ScriptReport) return base::internal("a message out of turn from init");
    const auto step = static_cast<Step>(packet->step);
    if (packet->result < 0) return step_error(step, static_cast<int>(-packet->result), program);
    if (step == Step::Listener) TRY(pass_listener(channel, process, state, static_cast<int>(packet->result)));
  }
}

Error ended_silently(const sys::Process& process) {
  const auto status = process.try_wait();
  if (!status || !*status) return base::internal("init closed its connection without a word");
  if ((*status)->by_signal() && (*status)->signal() == SIGKILL) {
    return base::internal("container init was killed, possibly out of memory (memory limit too low?)");
  }
  return base::internal(fmt::format("container init ended with status {}", (*status)->shell_code()));
}

}  // namespace runtime::detail
