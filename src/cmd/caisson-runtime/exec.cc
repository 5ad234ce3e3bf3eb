#include <fmt/format.h>

#include "base/strings.h"
#include "cmd/caisson-runtime/commands.h"
#include "cmd/caisson-runtime/foreground.h"
#include "cmd/caisson-runtime/pidfd_sender.h"
#include "runtime/container.h"
#include "sys/file.h"

namespace caisson_runtime {

using base::Result;

namespace {

Result<std::uint32_t> id_of(std::string_view text) {
  const auto number = base::parse_uint(text);
  if (!number || *number > UINT32_MAX) return base::invalid("invalid user or group id " + base::quoted(text));
  return static_cast<std::uint32_t>(*number);
}

/// The container's own process, changed by the flags.
Result<spec::oci::Process> process_of(const runtime::State& state, const Arguments& arguments) {
  if (const auto file = arguments.value("process")) {
    const std::string text = TRY(sys::read_file(sys::kCwd, *file));
    return spec::oci::parse_process(text);
  }
  spec::oci::Process process = state.process;
  process.args.assign(arguments.rest().begin() + 1, arguments.rest().end());
  if (process.args.empty()) return base::invalid("process args cannot be empty");
  process.terminal = arguments.has("tty");
  process.console_size.reset();
  if (const auto cwd = arguments.value("cwd")) process.cwd = *cwd;
  for (const auto& one : arguments.values("env")) process.env.push_back(one);
  if (const auto user = arguments.value("user")) {
    const auto pair = base::cut(*user, ":");
    process.user.uid = TRY(id_of(pair ? pair->first : std::string_view{*user}));
    if (pair) process.user.gid = TRY(id_of(pair->second));
  }
  for (const auto& one : arguments.values("additional-gids")) {
    process.user.additional_gids.push_back(TRY(id_of(one)));
  }
  for (const auto& one : arguments.values("cap")) {
    if (!process.capabilities) process.capabilities.emplace();
    auto& sets = *process.capabilities;
    for (auto* set : {&sets.bounding, &sets.effective, &sets.permitted}) set->push_back(one);
    if (!sets.inheritable.empty()) sets.ambient.push_back(one);
  }
  if (arguments.has("no-new-privs")) process.no_new_privileges = true;
  if (const auto label = arguments.value("process-label")) process.selinux_label = *label;
  if (const auto profile = arguments.value("apparmor")) process.apparmor_profile = *profile;
  return process;
}

/// "path", or "controller,controller:path" several times.
Result<cgroup::Subgroups> subgroups_of(const std::vector<std::string>& given) {
  cgroup::Subgroups out;
  for (const auto& one : given) {
    const auto pair = base::cut(one, ":");
    if (!pair) {
      if (given.size() != 1) return base::invalid(fmt::format("invalid --cgroup argument: {} (missing <controller>: prefix)", one));
      out.emplace("", one);
      continue;
    }
    for (const auto controller : base::split(pair->first, ',')) {
      if (controller.empty()) return base::invalid(fmt::format("invalid --cgroup argument: {} (empty <controller> prefix)", one));
      if (!out.emplace(controller, pair->second).second) {
        return base::invalid(fmt::format("invalid --cgroup argument(s): controller {} specified multiple times", controller));
      }
    }
  }
  return out;
}

}  // namespace

Result<int> run_exec(const Globals& globals, const Arguments& arguments) {
  auto container = TRY(runtime::Container::load(globals.root, arguments.rest()[0]));
  auto process = TRY(process_of(container.state(), arguments));
  const bool detached = arguments.has("detach");
  if (!detached) adopt_window_size(process);
  runtime::ExecOptions options;
  options.console_socket = arguments.value_or("console-socket", "");
  options.pid_file = arguments.value_or("pid-file", "");
  options.subgroups = TRY(subgroups_of(arguments.values("cgroup")));
  const auto count = TRY(arguments.number("preserve-fds")).value_or(0);
  if (count < 0 || count > 1024) return base::invalid(fmt::format("invalid value {} for flag -preserve-fds", count));
  options.preserve_fds = static_cast<int>(count);
  if (detached && process.terminal && options.console_socket.empty()) {
    return base::invalid("cannot allocate tty if runc will detach without setting console socket");
  }
  options.plain_newlines = !detached;
  options.ignore_paused = arguments.has("ignore-paused");
  const PidfdSender sender{arguments.value_or("pidfd-socket", "")};
  if (sender.wanted()) options.on_namespaces = sender;
  Foreground foreground;
  auto handle = TRY(container.exec(process, std::move(options)));
  if (detached) return 0;
  return foreground.stay(handle.process, std::move(handle.pty_master));
}

}  // namespace caisson_runtime
