#include <algorithm>
#include <csignal>
#include <utility>

#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/scope_guard.h"
#include "base/time.h"
#include "runtime/container.h"
#include "runtime/detail/cgroup_owner.h"
#include "runtime/detail/cgroup_record.h"
#include "runtime/detail/checkpoint_notes.h"
#include "runtime/detail/container_data.h"
#include "runtime/detail/final_stage.h"
#include "runtime/detail/forked.h"
#include "runtime/detail/hooks.h"
#include "runtime/detail/id_maps.h"
#include "runtime/detail/init.h"
#include "runtime/detail/intel_rdt.h"
#include "runtime/detail/names.h"
#include "runtime/detail/net_devices.h"
#include "runtime/detail/process_setup.h"
#include "runtime/detail/resources.h"
#include "runtime/detail/seccomp_cache.h"
#include "runtime/detail/shared_pid.h"
#include "runtime/detail/wire.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/namespace.h"
#include "sys/node.h"
#include "sys/pidfd.h"
#include "sys/storage.h"

namespace runtime {

using base::Error;
using base::ErrorKind;
using base::Result;
using sys::UniqueFd;

namespace {

using namespace detail;

constexpr std::string_view kNotStarted = "unable to start container process";

std::vector<sys::IdRange> ranges_of(const std::vector<spec::oci::IdMapping>& mappings) {
  std::vector<sys::IdRange> out;
  for (const auto& one : mappings) out.push_back({one.container_id, one.host_id, one.size});
  return out;
}

/// The parent's side of a create. Its parts run while init does its own, see detail/channel.h.
class Creator {
 public:
  Creator(const spec::oci::Spec& spec, CreateOptions& options, Container::Data& data, InitPlan& plan)
      : spec_{spec}, options_{options}, data_{data}, plan_{plan} {}

  Result<> run() {
    lock_ = TRY(make_state_directory(data_));
    base::ScopeGuard undo{[this] { undo_all(); }};
    if (auto prepared = prepare(); !prepared) return demote(std::move(prepared).error());
    if (auto cloned = clone(); !cloned) return demote(std::move(cloned).error());
    if (auto accompanied = accompany(); !accompanied) {
      // Init has sorted its errors itself: what it calls NotFound is the program.
      base::Error error = std::move(accompanied).error();
      if (!heard_) error = demote(std::move(error));
      return std::move(error).context(kNotStarted);
    }
    undo.release();
    return {};
  }

 private:
  Result<> prepare() {
    CRASH_POINT("runtime.create.directory");
    TRY(sys::inject("runtime.create.prepare"));
    data_.host = TRY(cgroup::Host::detect());
    cgroup::Cgroup planned = TRY(plan_cgroup(data_, spec_, options_));
    // Before it counts as ours, which undoing empties.
    TRY(planned.require_vacant());
    data_.cgroup = std::move(planned);
    base::log::debug("cgroup of container {}: {}", data_.state.id, data_.cgroup->directories().back());
    TRY(data_.cgroup->make_v2());
    auto& rootfs = plan_.rootfs;
    rootfs.spec = &spec_;
    rootfs.bundle = options_.bundle;
    rootfs.root = std::move(options_.rootfs);
    rootfs.host = &data_.host;
    rootfs.cgroup = &*data_.cgroup;
    rootfs.new_cgroup_namespace = plan_.makes(CLONE_NEWCGROUP);
    rootfs.cgroup_is_optional = options_.rootless;
    rootfs.new_mount_namespace = plan_.makes(CLONE_NEWNS);
    if (!rootfs.new_mount_namespace) {
      data_.state.foreign_root = data_.state.rootfs;
      for (const auto& one : plan_.section->namespaces) {
        if (one.type == "mount") data_.state.foreign_mount_namespace = one.path;
      }
    }
    rootfs.new_user_namespace = plan_.in_user_namespace();
    rootfs.joined_user = plan_.joined_user.get();
    rootfs.unprivileged = plan_.unprivileged;
    TRY(open_rootfs(rootfs).context(kDuringInit).context(kNotStarted));
    if (plan_.may_enter_pid_late()) plan_.enters_pid_late = TRY(open_procfs(plan_));
    plan_.stdio = std::move(options_.stdio);
    if (!options_.start_at_once) {
      TRY(sys::make_node(sys::kCwd, data_.fifo(), S_IFIFO | 0600, 0, 0));
      plan_.fifo = TRY(sys::open_at(sys::kCwd, data_.fifo(), O_RDWR));
    }
    plan_.tell_namespaces = options_.on_namespaces.has_value();
    if (spec_.hooks) plan_.state_document = oci_document(data_.state);
    return {};
  }

  Result<> clone() {
    auto pair = TRY(Channel::make());
    sys::CloneOptions wanted;
    wanted.flags = static_cast<std::uint64_t>(plan_.new_namespaces & (CLONE_NEWPID | CLONE_NEWUSER));
    UniqueFd v2;
    if (const std::string directory = data_.cgroup->directory_of(""); !directory.empty() && !data_.cgroup->adopts()) {
      v2 = TRY(sys::open_dir(sys::kCwd, directory));
      wanted.cgroup = v2.get();
    }
    UniqueFd own_pid_namespace;
    if (plan_.joined_pid && !plan_.joined_user && !plan_.enters_pid_late) {
      // Children only; undone below for those that come later.
      own_pid_namespace = TRY(sys::open_at(sys::kCwd, "/proc/self/ns/pid", O_RDONLY));
      TRY(sys::enter_namespaces(plan_.joined_pid.get(), CLONE_NEWPID).context("join the PID namespace"));
    }
    auto cloned = plan_.joined_user ? clone_in_user_namespace(pair, wanted) : clone_directly(pair, wanted);
    if (own_pid_namespace) TRY(sys::enter_namespaces(own_pid_namespace.get(), CLONE_NEWPID));
    data_.init = TRY(std::move(cloned));
    data_.channel = std::move(pair.parent);
    pair.child.close();
    plan_.stdio = {};
    return {};
  }

  Result<sys::Process> clone_directly(Channel::Pair& pair, const sys::CloneOptions& wanted) {
    sys::Process child = TRY(sys::clone_process(wanted));
    if (!child.valid()) {
      pair.parent.close();
      run_init(plan_, pair.child);
    }
    return child;
  }

  /// The PID namespace must belong to the user namespace, so somebody who is in the latter makes it: a
  /// helper, whose child is ours as well (CLONE_PARENT).
  Result<sys::Process> clone_in_user_namespace(Channel::Pair& pair, const sys::CloneOptions& wanted) {
    // A channel of its own: init speaks on the other one as soon as it lives.
    auto aside = TRY(Channel::make());
    const sys::Process helper = TRY(sys::clone_process({.flags = 0, .cgroup = wanted.cgroup}));
    if (!helper.valid()) help(pair, aside.child, wanted.flags);
    aside.child.close();
    const base::ScopeGuard reap{[&] { base::ignore(helper.wait(), "only to reap it"); }};
    auto packet = aside.parent.expect(Topic::Cloned);
    if (!packet) return std::move(packet).error();
    if (packet->fds.size() != 1) return base::internal("a malformed message from init");
    // The helper's number for it may be another: it is in the container's PID namespace if that is joined.
    const pid_t pid = TRY(sys::pid_of(packet->fds.front().get()));
    return sys::Process{pid, std::move(packet->fds.front())};
  }

  [[noreturn]] void help(Channel::Pair& pair, const Channel& aside, std::uint64_t flags) {
    pair.parent.close();
    const auto sent = [&]() -> Result<> {
      // Those that don't belong to that user namespace can be entered only with the rights from outside.
      std::erase_if(plan_.joined, [](const JoinedNamespace& one) {
        return sys::enter_namespaces(one.fd.get(), one.type).has_value();
      });
      const bool entered_pid = plan_.joined_pid && sys::enter_namespaces(plan_.joined_pid.get(), CLONE_NEWPID);
      TRY(sys::enter_namespaces(plan_.joined_user.get(), CLONE_NEWUSER).context("join the user namespace"));
      // Those that do belong to it can be entered by an ordinary user, too, with the rights that it gives.
      if (plan_.joined_pid && !entered_pid) {
        TRY(sys::enter_namespaces(plan_.joined_pid.get(), CLONE_NEWPID).context("join the PID namespace"));
      }
      const sys::Process child = TRY(sys::clone_process({.flags = flags | CLONE_PARENT}));
      if (!child.valid()) run_init(plan_, pair.child);
      return aside.send(Topic::Cloned, {}, {child.pidfd()});
    }();
    if (!sent) aside.send_failure(demote(sent.error()));
    ::_exit(0);
  }

  Result<> accompany() {
    const auto& process = *plan_.process;
    const pid_t pid = data_.init.pid();
    const bool offsets = plan_.parent_writes_offsets();
    if (plan_.makes(CLONE_NEWUSER) || offsets) {
      TRY(hear(Topic::MapIds));
      if (plan_.makes(CLONE_NEWUSER)) TRY(write_id_maps(pid));
      if (offsets) {
        TRY(sys::write_file(sys::kCwd, fmt::format("/proc/{}/timens_offsets", pid), time_offsets_text(*plan_.section)));
      }
      TRY(told(data_.channel.send(Topic::IdsMapped)));
    }
    base::log::debug("init of container {} is process {}", data_.state.id, pid);
    auto prepared = setup_from_outside(pid, process, plan_.in_user_namespace());
    // It has gone, and what it said about that is the reason.
    if (!prepared && prepared.error().errno_value() == ESRCH) TRY(hear(Topic::Ready));
    TRY(std::move(prepared));
    CRASH_POINT("runtime.create.cloned");
    const auto& resources = plan_.section->resources;
    TRY(data_.cgroup->adopt(pid, TRY(resources_for_create(resources ? *resources : spec::oci::Resources{}))));
    if (options_.rootless && data_.cgroup->directories().empty() && !data_.state.own_pid_namespace) {
      base::log::warn("container {} has neither a cgroup nor a PID namespace of its own, so not all of its processes can be killed. "
                      "Such configuration is strongly discouraged", data_.state.id);
    }
    TRY(give_cgroup_away(data_.host, *data_.cgroup, spec_, plan_.in_user_namespace(), plan_.makes(CLONE_NEWCGROUP)));
    const cgroup::Entry entry = TRY(data_.cgroup->entry());
    TRY(told(send_go(data_.channel, entry)));
    const bool awaited = plan_.waits_for_parent();
    const auto filter = TRY(seccomp_program());
    if (filter) base::log::debug("seccomp filter flags: {}", filter->flags);
    if (!awaited) TRY(told(send_filter(data_.channel, filter)));
    if (plan_.section->intel_rdt) TRY(join_resctrl());
    TRY(record());
    CRASH_POINT("runtime.create.recorded");
    if (options_.on_process && !plan_.enters_pid_late) TRY((*options_.on_process)(pid, data_.init.pidfd()));
    if (options_.on_namespaces) {
      TRY(hear(Topic::Namespaces));
      TRY((*options_.on_namespaces)(pid, data_.init.pidfd()));
    }
    if (awaited) {
      TRY(serve_init());
      TRY(told(send_filter(data_.channel, filter)));
    }
    if (process.terminal || !options_.start_at_once) {
      Packet ready = TRY(hear(Topic::Ready));
      if (!ready.fds.empty()) data_.pty_master = std::move(ready.fds.front());
    }
    std::optional<Packet> early;
    if (plan_.enters_pid_late) early = TRY(take_over_forked());
    if (!options_.start_at_once && !plan_.has_start_hooks()) TRY(hear_waiting(std::move(early)));
    if (data_.pty_master && !options_.console_socket.empty()) {
      TRY(send_to_console_socket(options_.console_socket, data_.pty_master.get()));
      data_.pty_master.reset();
    }
    if (!options_.pid_file.empty()) {
      TRY(sys::write_file_atomic(sys::kCwd, options_.pid_file, fmt::format("{}", data_.init.pid())).context("write the pid file"));
    }
    moved_devices_.release();
    if (!options_.start_at_once) return {};
    auto executed = wait_for_exec(data_.channel, data_.init, data_.state, process.args[0], std::nullopt, std::move(early));
    heard_ = true;
    data_.channel.close();
    if (!executed || data_.state.poststart.empty()) return executed;
    State state = data_.state;
    state.status = Status::Running;
    return run_hooks("poststart", state.poststart, oci_document(state).dump());
  }

  Result<> write_id_maps(pid_t pid) {
    return map_ids(pid, ranges_of(plan_.section->uid_mappings), ranges_of(plan_.section->gid_mappings))
        .context("write id mappings");
  }

  Result<std::optional<SeccompProgram>> seccomp_program() {
    if (!plan_.section->seccomp) return std::optional<SeccompProgram>{};
    return std::optional{TRY(record_seccomp(data_, *plan_.section->seccomp))};
  }

  Result<> record() {
    data_.state.pid = data_.init.pid();
    data_.state.start_time = TRY(sys::start_time_of(data_.init.pid()));
    data_.state.cgroups = data_.cgroup->directories();
    data_.state.unit = data_.cgroup->unit();
    return write_state(data_.directory(), data_.state);
  }

  Result<> join_resctrl() {
    const auto& wanted = *plan_.section->intel_rdt;
    const std::string mount = TRY(find_resctrl());
    const RdtGroup group = TRY(join_rdt_group(mount, wanted, data_.state.id, data_.init.pid()));
    data_.state.rdt_directory = group.directory;
    data_.state.rdt_made = group.made;
    data_.state.rdt_monitor = group.monitor;
    return {};
  }

  /// Init has its namespaces and its mounts, and waits.
  Result<> serve_init() {
    TRY(hear(Topic::Hooks));
    TRY(moved_devices_.move_to(data_.init.pid(), plan_.section->net_devices));
    if (spec_.hooks) {
      State state = data_.state;
      state.status = Status::Creating;
      const std::string text = oci_document(state).dump();
      TRY(run_hooks("prestart", spec_.hooks->prestart, text));
      TRY(run_hooks("createRuntime", spec_.hooks->create_runtime, text));
    }
    return told(data_.channel.send(Topic::HooksDone));
  }

  /// The next message from init. When there is none, or when it could not be told something, it has
  /// failed, and what it said about that is the reason.
  Result<Packet> hear(Topic topic) {
    auto packet = data_.channel.receive();
    heard_ = true;
    if (!packet) return std::move(packet).error();
    if (!*packet) return ended_silently(data_.init);
    if ((*packet)->topic != topic) return base::internal("a message out of turn from init");
    heard_ = false;
    return std::move(**packet);
  }
  /// What set the container up ends when it has forked what the container is: that is init from now on.
  Result<std::optional<Packet>> take_over_forked() {
    auto forked = await_fork(data_.channel, plan_.process->args[0]);
    heard_ = !forked;
    if (!forked) return std::move(forked).error();
    const sys::Process before = std::exchange(data_.init, std::move(forked->process));
    base::ignore(before.wait(), "only to reap it");
    if (scheduler_ends_at_fork(*plan_.process)) {
      TRY(schedule(data_.channel, data_.init.pid(), forked->early, *plan_.process, cpus_of(*plan_.section)));
    }
    TRY(record());
    if (options_.on_process) TRY((*options_.on_process)(data_.init.pid(), data_.init.pidfd()));
    return std::move(forked->early);
  }
  /// The last steps have been made, up to those that wait for the start.
  Result<> hear_waiting(std::optional<Packet> early) {
    const Packet packet = early ? std::move(*early) : TRY(hear(Topic::ScriptReport));
    const auto step = static_cast<Step>(packet.step);
    if (packet.result < 0) return step_error(step, static_cast<int>(-packet.result), plan_.process->args[0]);
    return step == Step::Waiting ? Result<>{} : base::internal("a message out of turn from init");
  }
  Result<> told(Result<> sent) {
    if (sent) return {};
    while (true) {
      auto packet = data_.channel.receive();
      heard_ = true;
      if (!packet) return std::move(packet).error();
      if (!*packet) return ended_silently(data_.init);
    }
  }

  void undo_all() {
    moved_devices_.bring_back();
    if (data_.init.valid()) {
      base::ignore(data_.init.signal(SIGKILL), "it may have ended");
      base::ignore(data_.init.wait(), "only to reap it");
    }
    data_.channel.close();
    if (!data_.state.foreign_root.empty()) {
      base::ignore(unmount_foreign_root(data_.state.foreign_root, data_.state.foreign_mount_namespace),
                   "the failure that led here is the one to tell");
    }
    base::ignore(leave_rdt_group(data_.state.rdt_made ? data_.state.rdt_directory : std::string{}, data_.state.rdt_monitor),
                 "the failure that led here is the one to tell");
    if (data_.cgroup) {
      base::ignore(data_.cgroup->signal_all(SIGKILL), "init was the only one, unless a hook left something");
      base::ignore(data_.cgroup->remove(), "the failure that led here is the one to tell");
      data_.cgroup->discard();
    }
    base::ignore(sys::remove_tree(sys::kCwd, data_.directory()), "the failure that led here is the one to tell");
  }

  const spec::oci::Spec& spec_;
  CreateOptions& options_;
  Container::Data& data_;
  InitPlan& plan_;
  UniqueFd lock_;       ///< on the directory, as long as this goes on
  MovedDevices moved_devices_;
  bool heard_ = false;  ///< the failure came from init
};

}  // namespace

namespace detail {

Result<UniqueFd> make_state_directory(const Container::Data& data) {
  auto made = sys::make_dir(sys::kCwd, data.directory(), 0700);
  if (!made && made.error().errno_value() == ENOENT) {
    TRY(sys::make_dirs(sys::kCwd, data.state_root, 0700));
    made = sys::make_dir(sys::kCwd, data.directory(), 0700);
  }
  if (made.failed_as(ErrorKind::Conflict)) return base::conflict("container with given ID already exists");
  TRY(std::move(made).context("create the state directory"));
  UniqueFd lock = TRY(sys::open_dir(sys::kCwd, data.directory()));
  TRY(sys::lock_file(lock.get(), sys::Wait::Yes));
  return lock;
}

Result<cgroup::Cgroup> plan_cgroup(const Container::Data& data, const spec::oci::Spec& spec, const CreateOptions& options) {
  cgroup::Wanted wanted;
  wanted.driver = options.cgroup_driver;
  wanted.path = spec.linux_section->cgroups_path;
  wanted.id = data.state.id;
  wanted.rootless = options.rootless;
  if (wanted.driver == cgroup::Driver::Systemd) wanted.properties = TRY(cgroup::annotated_properties(spec.annotations));
  const std::string place = wanted.path.empty() ? wanted.id : wanted.path;
  cgroup::Cgroup planned = TRY(cgroup::Cgroup::plan(data.host, std::move(wanted)));
  TRY(record_planned_cgroup(data.directory(), place, planned));
  return planned;
}

Result<SeccompProgram> record_seccomp(Container::Data& data, const spec::oci::Seccomp& section) {
  CachedProgram cached = TRY(cached_seccomp(data.state_root + "/.cache/seccomp", section));
  // For exec: under the container's own name, so that it outlives the cache.
  const bool linked = !cached.file.empty() && sys::hard_link(sys::kCwd, cached.file, sys::kCwd, data.seccomp_file());
  if (!linked) TRY(write_seccomp(data.seccomp_file(), cached.program));
  data.state.seccomp = true;
  data.state.seccomp_listener = section.listener_path;
  data.state.seccomp_metadata = section.listener_metadata;
  return std::move(cached.program);
}

State new_state(const spec::oci::Spec& spec, const CreateOptions& options) {
  State state;
  state.oci_version = std::string{spec::oci::kRuntimeSpecVersion};
  state.id = options.id;
  state.bundle = options.bundle;
  state.annotations = spec.annotations;
  if (spec.root) {
    state.rootfs = spec.root->path.starts_with('/') ? spec.root->path : options.bundle + "/" + spec.root->path;
  }
  state.created = base::to_rfc3339(base::now());
  state.owner = ::getuid();
  state.rootless = options.rootless;
  const auto& namespaces = spec.linux_section->namespaces;
  state.own_pid_namespace = std::ranges::any_of(
      namespaces, [](const spec::oci::Namespace& one) { return one.type == "pid" && one.path.empty(); });
  state.process = *spec.process;
  state.personality = spec.linux_section->personality;
  state.memory_policy = spec.linux_section->memory_policy;
  if (spec.hooks) {
    state.poststart = spec.hooks->poststart;
    state.poststop = spec.hooks->poststop;
  }
  note_for_checkpoint(state, spec, options.stdio);
  return state;
}

}  // namespace detail

Result<Container> Container::create(const spec::oci::Spec& spec, CreateOptions options) {
  TRY(check_id(options.id));
  InitPlan plan = TRY(plan_init(spec, options));
  auto data = std::make_unique<Data>();
  data->state_root = options.state_root;
  data->state = new_state(spec, options);
  TRY(Creator(spec, options, *data, plan).run());
  return Container{std::move(data)};
}

}  // namespace runtime
