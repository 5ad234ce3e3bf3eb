#include "runtime/detail/hooks.h"

#include <chrono>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "sys/file.h"
#include "sys/process.h"

namespace runtime::detail {

using base::Result;
using sys::UniqueFd;

namespace {

/// "bad system call": as Go's programs word it, and so their readers expect.
std::string signal_text(int signal) {
  const char* text = ::sigdescr_np(signal);
  if (text == nullptr) return fmt::format("{}", signal);
  std::string out{text};
  out[0] = base::to_lower(out)[0];
  return out;
}

/// Memory files for input and output: no hook can block us by not reading, nor by writing too much.
Result<> run_hook(const spec::oci::Hook& hook, const std::string& state) {
  const UniqueFd input = TRY(sys::make_memory_file(state));
  const UniqueFd output = TRY(sys::make_memory_file());
  sys::SpawnOptions options;
  options.path = hook.path;
  options.argv = hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args;
  options.env = hook.env;
  options.fds = {{input.get(), 0}, {output.get(), 1}, {output.get(), 2}};
  return finish_hook(hook, TRY(sys::spawn(options)), output.get());
}

}  // namespace

Result<> finish_hook(const spec::oci::Hook& hook, const sys::Process& process, int output) {
  if (hook.timeout && !sys::poll_readable(process.pidfd(), std::chrono::seconds{*hook.timeout})) {
    base::ignore(process.signal(SIGKILL), "it may just have ended");
    base::ignore(process.wait(), "only to reap it");
    return base::internal(fmt::format("hook ran past specified timeout of {}s", *hook.timeout));
  }
  const sys::ExitStatus status = TRY(process.wait());
  if (status.shell_code() == 0) return {};
  std::string text(4096, '\0');
  const std::size_t length = TRY(sys::read_at(output, text, 0));
  text.resize(length);
  const std::string how = status.by_signal() ? "signal: " + signal_text(status.signal())
                                             : fmt::format("exit status {}", status.shell_code());
  return base::internal(fmt::format("{}, output: {}", how, base::trim(text)));
}

Result<> run_hooks(std::string_view kind, const std::vector<spec::oci::Hook>& hooks, const std::string& state) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    TRY(run_hook(hooks[i], state).context(fmt::format("error running {} hook #{}", kind, i)));
  }
  return {};
}

void run_hooks_leniently(std::string_view kind, const std::vector<spec::oci::Hook>& hooks, const std::string& state) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const auto ran = run_hook(hooks[i], state);
    if (!ran) base::log::warn("error running {} hook #{}: {}", kind, i, ran.error().message());
  }
}

}  // namespace runtime::detail
