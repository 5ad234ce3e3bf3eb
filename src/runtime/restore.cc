#include <algorithm>
#include <csignal>

#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "base/time.h"
#include "runtime/checkpoint.h"
#include "runtime/detail/checkpoint_notes.h"
#include "runtime/detail/container_data.h"
#include "runtime/detail/criu_mounts.h"
#include "runtime/detail/criu_options.h"
#include "runtime/detail/criu_session.h"
#include "runtime/detail/hooks.h"
#include "runtime/detail/init_plan.h"
#include "runtime/detail/intel_rdt.h"
#include "runtime/detail/process_setup.h"
#include "runtime/detail/resources.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/mount_namespace_copy.h"

namespace runtime {

using base::ErrorKind;
using base::Result;
using sys::UniqueFd;

namespace {

using namespace detail;

/// What a restored program inherits stands at these numbers in CRIU.
constexpr int kFirstPipe = 4;
constexpr int kFirstNamespace = 7;

/// The process's children, ended ones included.
std::vector<pid_t> children() {
  std::vector<pid_t> out;
  const auto text = sys::read_file(sys::kCwd, "/proc/thread-self/children");
  if (!text) return out;
  for (const auto word : base::split_words(*text)) {
    if (const auto pid = base::parse_uint(base::trim(word))) out.push_back(static_cast<pid_t>(*pid));
  }
  return out;
}

/// In the network namespace of `pid`, which CRIU leaves empty.
Result<> bring_up_loopback_of(pid_t pid) {
  const UniqueFd netns = TRY(sys::open_at(sys::kCwd, fmt::format("/proc/{}/ns/net", pid), O_RDONLY));
  const sys::Process helper = TRY(sys::clone_process({}));
  if (!helper.valid()) {
    const auto up = [&]() -> Result<> {
      TRY(sys::enter_namespaces(netns.get(), CLONE_NEWNET));
      return sys::bring_up_loopback();
    }();
    ::_exit(up ? 0 : 1);
  }
  if (TRY(helper.wait()).shell_code() != 0) return base::internal("can't bring up the container's loopback interface");
  return {};
}

class Restorer {
 public:
  Restorer(const spec::oci::Spec& spec, RestoreOptions& options, Container::Data& data, InitPlan& plan)
      : spec_{spec}, options_{options}, create_{options.container}, data_{data}, plan_{plan}, earlier_{children()} {}

  Result<> run() {
    TRY(criu::open_images(options_.image_path));
    lock_ = TRY(make_state_directory(data_));
    base::ScopeGuard undo{[this] { undo_all(); }};
    TRY(restore().context("unable to restore container"));
    undo.release();
    return {};
  }

 private:
  Result<> restore() {
    CRASH_POINT("runtime.restore.directory");
    data_.host = TRY(cgroup::Host::detect());
    data_.cgroup = TRY(plan_cgroup(data_, spec_, create_));
    TRY(data_.cgroup->make_v2());
    if (plan_.section->seccomp) TRY(record_seccomp(data_, *plan_.section->seccomp));
    criu::Session session = TRY(start_criu());
    // What CRIU makes is born where it stands.
    const auto& resources = plan_.section->resources;
    TRY(data_.cgroup->adopt(session.pid(), TRY(resources_for_create(resources ? *resources : spec::oci::Resources{}))));
    TRY(data_.cgroup->add(session.pid()));
    data_.state.cgroups = data_.cgroup->directories();
    data_.state.unit = data_.cgroup->unit();
    CRASH_POINT("runtime.restore.started");
    criu::Request request;
    request.type = criu::RequestType::Restore;
    request.opts = TRY(criu_options(session));
    const auto done = TRY(session.perform(request, criu::log_path(options_, "restore.log"),
                                          [&](criu::Event event) { return on(std::move(event)); }));
    if (!data_.init.valid()) return base::internal("criu has restored no process");
    base::ignore(sys::unlink_at(sys::kCwd, top(), true), "it is empty, and in the state directory");
    if (!create_.pid_file.empty()) {
      TRY(sys::write_file_atomic(sys::kCwd, create_.pid_file, fmt::format("{}", data_.init.pid())).context("write the pid file"));
    }
    if (!data_.state.poststart.empty()) run_hooks_leniently("poststart", data_.state.poststart, state_text(Status::Running, data_.init.pid()));
    return {};
  }

  [[nodiscard]] std::string top() const { return data_.directory() + "/criu-root"; }

  /// In a mount namespace of its own, where the root stands as CRIU wants it: on a mount point that nothing covers.
  Result<criu::Session> start_criu() {
    TRY(sys::make_dir(sys::kCwd, top(), 0700));
    std::vector<sys::FdMapping> fds{{numbers_of(create_.stdio)[0], 0}};
    int number = kFirstPipe;
    for (const int fd : numbers_of(create_.stdio)) fds.push_back({fd, number++});
    number = kFirstNamespace;
    for (const auto& one : plan_.joined) {
      if (one.type == CLONE_NEWNET) fds.push_back({one.fd.get(), network_fd_ = number++});
    }
    if (plan_.joined_pid) fds.push_back({plan_.joined_pid.get(), pid_fd_ = number++});

    const auto inside = TRY(sys::MountNamespaceCopy::enter());
    // Opened here, as CRIU mounts things in its working directory, which it can only in its own namespace.
    images_ = TRY(criu::open_images(options_.image_path));
    if (plan_.in_user_namespace()) TRY(criu::let_others_search(images_.get()));
    work_ = TRY(criu::open_work_directory(options_.work_path));
    UniqueFd root = std::move(create_.rootfs);
    if (!root) root = TRY(sys::clone_mount(sys::kCwd, data_.state.rootfs, true).context("open the root file system"));
    TRY(criu::prepare_root(spec_, create_.bundle, root, top()));
    const UniqueFd opened = TRY(sys::open_at(sys::kCwd, top(), O_PATH | O_DIRECTORY));
    root_path_ = TRY(sys::read_link(sys::kCwd, sys::proc_path(opened.get())));
    auto session = criu::Session::start(options_.criu, std::move(fds));
    create_.stdio = {};
    return session;
  }

  Result<criu::Options> criu_options(const criu::Session& session) {
    constexpr std::int32_t kFirstWithLabels = 31600;
    criu::Options opts = TRY(criu::common_options(options_, images_, work_, "restore.log", session.version()));
    if ((!options_.lsm_profile.empty() || !options_.lsm_mount_context.empty()) && session.version().number() < kFirstWithLabels) {
      return base::not_implemented("--lsm-profile and --lsm-mount-context need CRIU 3.16 or newer");
    }
    opts.lsm_profile = options_.lsm_profile;
    opts.lsm_mount_context = options_.lsm_mount_context;
    opts.config_file = criu::config_file(spec_.annotations);
    opts.evasive_devices = true;
    opts.rst_sibling = true;
    opts.root = root_path_;
    opts.ext_mnt = criu::mounts_to_restore(spec_, create_.bundle, data_.host, *data_.cgroup);
    TRY(add_namespaces(opts));
    TRY(add_pipes(opts));
    TRY(add_cgroup_roots(opts, session.pid()));
    return opts;
  }

  Result<> add_namespaces(criu::Options& opts) const {
    if (network_fd_ >= 0) opts.inherit_fd.push_back({criu::external_namespace_key("network"), network_fd_});
    if (pid_fd_ >= 0) opts.inherit_fd.push_back({criu::external_namespace_key("pid"), pid_fd_});
    for (const auto& one : plan_.section->namespaces) {
      if (one.path.empty() || !criu::external_namespace_key(one.type).empty()) continue;
      if (one.type == "cgroup") return base::not_implemented("CRIU can't restore into the cgroup namespace " + one.path);
      opts.join_ns.push_back({one.type == "mount" ? "mnt" : one.type, one.path});
    }
    return {};
  }

  Result<> add_pipes(criu::Options& opts) const {
    const std::string text = TRY(sys::read_file(images_.get(), std::string{kDescriptorsFile}).context("read the checkpoint"));
    const auto names = TRY(codec::from_json_text<std::vector<std::string>>(text).context("read the checkpoint"));
    for (std::size_t i = 0; i < names.size() && i < 3; ++i) {
      if (!names[i].starts_with("pipe:")) continue;
      opts.inherit_fd.push_back({names[i], kFirstPipe + static_cast<int>(i)});
    }
    return {};
  }

  /// Where CRIU stands now is where the processes go.
  static Result<> add_cgroup_roots(criu::Options& opts, pid_t pid) {
    const std::string text = TRY(sys::read_file(sys::kCwd, fmt::format("/proc/{}/cgroup", pid)));
    for (const auto line : base::split_words(text, '\n')) {
      const auto number = base::cut(line, ":");
      const auto rest = number ? base::cut(number->second, ":") : std::nullopt;
      if (!rest) continue;
      for (const auto controller : base::split(rest->first, ',')) {
        opts.cg_root.push_back({std::string{controller}, std::string{rest->second}});
      }
    }
    return {};
  }

  Result<> on(criu::Event event) {
    const auto& script = event.notification.script;
    if (script == "setup-namespaces") return set_up_namespaces(event.notification.pid);
    if (script == "post-restore") return record(event.notification.pid);
    if (script == "orphan-pts-master") {
      if (!event.fd) return base::internal("criu has sent no terminal");
      if (!create_.console_socket.empty()) return send_to_console_socket(create_.console_socket, event.fd.get());
      data_.pty_master = std::move(event.fd);
    }
    return {};
  }

  Result<> set_up_namespaces(pid_t pid) {
    if (plan_.makes(CLONE_NEWNET)) TRY(bring_up_loopback_of(pid));
    if (create_.on_namespaces) {
      const sys::Process init = TRY(sys::Process::open(pid));
      TRY((*create_.on_namespaces)(pid, init.pidfd()));
    }
    if (!spec_.hooks) return {};
    const std::string text = state_text(Status::Creating, pid);
    TRY(run_hooks("prestart", spec_.hooks->prestart, text));
    return run_hooks("createRuntime", spec_.hooks->create_runtime, text);
  }

  Result<> record(pid_t pid) {
    CRASH_POINT("runtime.restore.restored");
    TRY(sys::inject("runtime.restore.record"));
    data_.init = TRY(sys::Process::open(pid));
    data_.state.pid = pid;
    data_.state.start_time = TRY(sys::start_time_of(pid));
    data_.state.created = base::to_rfc3339(base::now());
    if (plan_.section->intel_rdt) {
      const RdtGroup group = TRY(join_rdt_group(TRY(find_resctrl()), *plan_.section->intel_rdt, data_.state.id, pid));
      data_.state.rdt_directory = group.directory;
      data_.state.rdt_made = group.made;
      data_.state.rdt_monitor = group.monitor;
    }
    return write_state(data_.directory(), data_.state);
  }

  [[nodiscard]] std::string state_text(Status status, pid_t pid) const {
    State state = data_.state;
    state.status = status;
    state.pid = pid;
    return oci_document(state).dump();
  }

  void undo_all() {
    if (data_.init.valid()) base::ignore(data_.init.signal(SIGKILL), "it may have ended");
    if (data_.cgroup) base::ignore(data_.cgroup->signal_all(SIGKILL), "the failure that led here is the one to tell");
    // Half restored processes are our children, and CRIU may have ended without a word about them.
    for (const pid_t pid : children()) {
      if (std::ranges::find(earlier_, pid) != earlier_.end()) continue;
      const auto child = sys::Process::open(pid);
      if (child) base::ignore(child->wait(), "only to reap it");
    }
    base::ignore(leave_rdt_group(data_.state.rdt_made ? data_.state.rdt_directory : std::string{}, data_.state.rdt_monitor),
                 "the failure that led here is the one to tell");
    if (data_.cgroup) {
      base::ignore(data_.cgroup->remove(), "the failure that led here is the one to tell");
      data_.cgroup->discard();
    }
    base::ignore(sys::remove_tree(sys::kCwd, data_.directory()), "the failure that led here is the one to tell");
  }

  const spec::oci::Spec& spec_;
  RestoreOptions& options_;
  CreateOptions& create_;
  Container::Data& data_;
  InitPlan& plan_;
  std::vector<pid_t> earlier_;
  UniqueFd lock_;
  UniqueFd images_;
  UniqueFd work_;
  std::string root_path_;
  int network_fd_ = -1;
  int pid_fd_ = -1;
};

}  // namespace

Result<Container> Container::restore(const spec::oci::Spec& spec, RestoreOptions options) {
  TRY(check_id(options.container.id));
  InitPlan plan = TRY(plan_init(spec, options.container));
  auto data = std::make_unique<Data>();
  data->state_root = options.container.state_root;
  data->state = new_state(spec, options.container);
  TRY(Restorer(spec, options, *data, plan).run());
  return Container{std::move(data)};
}

}  // namespace runtime
