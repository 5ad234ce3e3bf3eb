#include "runtime/checkpoint.h"

#include <optional>

#include "base/log.h"
#include "base/strings.h"
#include "cmd/caisson-runtime/bundle.h"
#include "cmd/caisson-runtime/commands.h"
#include "cmd/caisson-runtime/foreground.h"
#include "sys/file.h"

namespace caisson_runtime {

using base::Result;
using runtime::Container;

namespace {

Result<> read_common(const Globals& globals, const Arguments& arguments, runtime::CriuOptions& out) {
  out.criu = globals.criu;
  out.image_path = TRY(absolute_path(arguments.value_or("image-path", "checkpoint")));
  if (const auto work = arguments.value("work-path"); work && !work->empty()) out.work_path = TRY(absolute_path(*work));
  out.tcp_established = arguments.has("tcp-established");
  out.ext_unix_sk = arguments.has("ext-unix-sk");
  out.shell_job = arguments.has("shell-job");
  out.file_locks = arguments.has("file-locks");
  out.auto_dedup = arguments.has("auto-dedup");
  out.lazy_pages = arguments.has("lazy-pages");
  out.cgroup_mode = TRY(runtime::parse_cgroup_mode(arguments.value_or("manage-cgroups-mode", "")));
  for (const auto& name : arguments.values("empty-ns")) {
    if (name != "network") return base::invalid("namespace " + base::quoted(name) + " is not supported");
  }
  return {};
}

/// Relative, as the images record it: a link from one directory to the other.
Result<std::string> parent_path(const Arguments& arguments, const std::string& image_path) {
  std::string parent = arguments.value_or("parent-path", "");
  if (parent.empty()) return parent;
  if (parent.starts_with('/')) return base::invalid("--parent-path must be relative");
  // The way to it leads through the image directory, which CRIU may still have to fill.
  TRY(sys::make_dirs(sys::kCwd, image_path, 0700).context("make the directory of the checkpoint"));
  TRY(sys::open_dir(sys::kCwd, image_path + "/" + parent).context("invalid --parent-path"));
  return parent;
}

Result<> read_page_server(const Arguments& arguments, runtime::CheckpointOptions& out) {
  const std::string given = arguments.value_or("page-server", "");
  if (given.empty()) return {};
  const auto colon = given.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == given.size()) {
    return base::invalid("Use --page-server ADDRESS:PORT to specify page server");
  }
  out.page_server = given.substr(0, colon);
  if (out.page_server.starts_with('[') && out.page_server.ends_with(']')) {
    out.page_server = out.page_server.substr(1, out.page_server.size() - 2);
  }
  const auto port = base::parse_uint(given.substr(colon + 1));
  if (!port || *port == 0 || *port > UINT16_MAX) return base::invalid("Invalid port number");
  out.page_port = static_cast<std::uint16_t>(*port);
  return {};
}

}  // namespace

Result<int> run_checkpoint(const Globals& globals, const Arguments& arguments) {
  runtime::CheckpointOptions options;
  auto container = TRY(Container::load(globals.root, arguments.rest()[0]));
  TRY(read_common(globals, arguments, options));
  TRY(read_page_server(arguments, options));
  options.parent_path = TRY(parent_path(arguments, options.image_path));
  options.leave_running = arguments.has("leave-running");
  options.pre_dump = arguments.has("pre-dump");
  options.tcp_skip_in_flight = arguments.has("tcp-skip-in-flight");
  options.link_remap = arguments.has("link-remap");
  const auto status_fd = TRY(arguments.number("status-fd"));
  options.status_fd = status_fd && *status_fd >= 0 && *status_fd <= INT32_MAX ? static_cast<int>(*status_fd) : -1;
  TRY(container.checkpoint(options));
  if (options.leave_running || options.pre_dump) return 0;
  // The checkpoint is complete: what is left of the container must not make it look like a failure.
  const auto destroyed = container.destroy(true);
  if (!destroyed) base::log::warn("the checkpointed container is not deleted: {}", destroyed.error().message());
  return 0;
}

Result<int> run_restore(const Globals& globals, const Arguments& arguments) {
  const bool detached = arguments.has("detach");
  runtime::RestoreOptions options;
  TRY(read_common(globals, arguments, options));
  options.lsm_profile = arguments.value_or("lsm-profile", "");
  options.lsm_mount_context = arguments.value_or("lsm-mount-context", "");
  auto& create = options.container;
  create.id = arguments.rest()[0];
  create.bundle = TRY(bundle_of(arguments));
  create.state_root = globals.root;
  create.console_socket = arguments.value_or("console-socket", "");
  create.cgroup_driver = globals.cgroup_driver;
  create.rootless = globals.rootless;
  create.pid_file = arguments.value_or("pid-file", "");
  const auto spec = TRY(load_spec(create.bundle));
  TRY(check_terminal(spec, create, detached));
  std::optional<Foreground> foreground;
  if (!detached) foreground.emplace();
  auto container = TRY(Container::restore(spec, std::move(options)));
  if (detached) return 0;
  const int status = TRY(foreground->stay(container.init(), container.take_pty_master()));
  TRY(container.destroy());
  return status;
}

}  // namespace caisson_runtime
