#include <cstdlib>

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "cmd/caisson-runtime/bundle.h"
#include "cmd/caisson-runtime/commands.h"
#include "cmd/caisson-runtime/foreground.h"
#include "cmd/caisson-runtime/pidfd_sender.h"
#include "runtime/container.h"

namespace caisson_runtime {

using base::Result;

namespace {

/// "runc create failed", as engines pass it on.
std::string failure_of(std::string_view verb) { return fmt::format("{} {} failed", program_name(), verb); }

/// Descriptors of socket activation are passed on, as sd_listen_fds(3) has them.
Result<int> preserved(const Arguments& arguments, spec::oci::Process& process) {
  auto count = TRY(arguments.number("preserve-fds")).value_or(0);
  const char* listen = std::getenv("LISTEN_FDS");  // NOLINT(concurrency-mt-unsafe): single-threaded
  if (const auto fds = base::parse_uint(listen == nullptr ? "" : listen)) {
    count += static_cast<std::int64_t>(*fds);
    process.env.push_back(fmt::format("LISTEN_FDS={}", *fds));
    process.env.emplace_back("LISTEN_PID=1");
  }
  if (count < 0 || count > 1024) return base::invalid(fmt::format("invalid value {} for flag -preserve-fds", count));
  return static_cast<int>(count);
}

struct Prepared {
  spec::oci::Spec spec;
  runtime::CreateOptions options;
};

Result<Prepared> prepare(const Globals& globals, const Arguments& arguments, bool detached) {
  Prepared out;
  auto& options = out.options;
  options.id = arguments.rest()[0];
  options.bundle = TRY(bundle_of(arguments));
  options.state_root = globals.root;
  options.cgroup_driver = globals.cgroup_driver;
  options.rootless = globals.rootless;
  options.console_socket = arguments.value_or("console-socket", "");
  options.pid_file = arguments.value_or("pid-file", "");
  options.no_pivot = arguments.has("no-pivot");
  options.no_new_keyring = arguments.has("no-new-keyring");
  out.spec = TRY(load_spec(options.bundle));
  if (out.spec.process) options.preserve_fds = TRY(preserved(arguments, *out.spec.process));
  TRY(check_terminal(out.spec, options, detached));
  return out;
}

}  // namespace

Result<int> run_create(const Globals& globals, const Arguments& arguments) {
  auto [spec, options] = TRY(prepare(globals, arguments, true));
  const PidfdSender sender{arguments.value_or("pidfd-socket", "")};
  if (sender.wanted()) options.on_process = sender;
  TRY(runtime::Container::create(spec, std::move(options)).context(failure_of("create")));
  return 0;
}

Result<int> run_run(const Globals& globals, const Arguments& arguments) {
  const bool detached = arguments.has("detach");
  auto [spec, options] = TRY(prepare(globals, arguments, detached));
  const PidfdSender sender{arguments.value_or("pidfd-socket", "")};
  if (sender.wanted()) options.on_process = sender;
  options.start_at_once = true;
  options.plain_newlines = !detached;
  if (!detached && spec.process) adopt_window_size(*spec.process);
  Foreground foreground;
  auto container = TRY(runtime::Container::create(spec, std::move(options)).context(failure_of("run")));
  if (detached) return 0;
  const int status = TRY(foreground.stay(container.init(), container.take_pty_master()));
  if (!arguments.has("keep")) TRY(container.destroy());
  return status;
}

}  // namespace caisson_runtime
