#include <cstring>

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "runtime/container.h"
#include "runtime/detail/container_data.h"
#include "runtime/detail/check_config.h"
#include "runtime/detail/exec_cgroup.h"
#include "runtime/detail/final_stage.h"
#include "runtime/detail/forked.h"
#include "runtime/detail/intel_rdt.h"
#include "runtime/detail/process_setup.h"
#include "runtime/detail/program.h"
#include "runtime/detail/seccomp_cache.h"
#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/limits.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/signals.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace runtime {

using base::Error;
using base::ErrorKind;
using base::Result;
using sys::UniqueFd;

namespace {

using namespace detail;

struct ExecPlan {
  const spec::oci::Process* process = nullptr;
  Stdio stdio;
  int preserve_fds = 0;
  bool plain_newlines = false;
  std::string keyring;
  int init = -1;       ///< the pidfd whose namespaces to enter
  int namespaces = 0;  ///< CLONE_NEW…
  UniqueFd root;       ///< init's, when its mount namespace is one of others and has another root
  cgroup::Entry entry;
  std::optional<SeccompProgram> seccomp;
  std::optional<spec::oci::Personality> personality;
  std::optional<spec::oci::MemoryPolicy> memory_policy;
};

/// The helper: enters the container's namespaces, but stays outside of its PID namespace, where no
/// process of the container sees it. It gives its privileges up and only then forks the process that
/// is seen (final_stage.h).
class Helper {
 public:
  Helper(ExecPlan& plan, Channel& channel) : plan_{plan}, channel_{channel} {}

  [[noreturn]] void run() {
    if (auto ready = set_up(); !ready) fail(demote(std::move(ready).error()));
    if (auto found = find(); !found) fail(std::move(found).error());
    if (auto told = get_going(); !told) fail(demote(std::move(told).error()));
    fail(run_final_stage(std::move(stage_), channel_.fd()));
  }

 private:
  [[noreturn]] void fail(const Error& error) {
    channel_.send_failure(error);
    ::_exit(1);
  }

  Result<> set_up() {
    sys::reset_signals();
    TRY(sys::hide_from_tracing());
    const auto& process = *plan_.process;
    host_proc_ = TRY(open_host_proc());
    base::ignore(sys::reset_cpu_affinity(), "it stays with the caller's");
    if (process.exec_cpu_affinity && !process.exec_cpu_affinity->initial.empty()) {
      TRY(sys::set_cpu_affinity(process.exec_cpu_affinity->initial).context("process.execCPUAffinity.initial"));
    }
    if (process.scheduler && !scheduler_ends_at_fork(process)) TRY(apply_scheduler(0, *process.scheduler, {}));
    TRY(setup_before_root(process, plan_.keyring));
    TRY(sys::enter_namespaces(plan_.init, plan_.namespaces).context("enter the container's namespaces"));
    if ((plan_.namespaces & CLONE_NEWUSER) != 0) TRY(sys::set_ids(0, 0));
    if (plan_.root) TRY(sys::change_root(plan_.root.get()));
    if (process.terminal) {
      const UniqueFd root = TRY(sys::open_at(sys::kCwd, "/", O_PATH | O_DIRECTORY));
      pty_ = TRY(open_container_pty(root.get(), host_proc_.get(), process, plan_.plain_newlines));
    }
    if (plan_.personality) TRY(apply_personality(*plan_.personality));
    if (plan_.memory_policy) TRY(apply_memory_policy(*plan_.memory_policy));
    TRY(set_program_groups(process, (plan_.namespaces & CLONE_NEWUSER) != 0));
    stage_.capabilities = TRY(plan_capabilities(process));
    if (process.exec_cpu_affinity && !process.exec_cpu_affinity->final_list.empty()) {
      TRY(sys::set_cpu_affinity(process.exec_cpu_affinity->final_list).context("process.execCPUAffinity.final"));
    }
    return {};
  }

  Result<> find() {
    stage_.process = plan_.process;
    stage_.env = complete_environment(plan_.process->env, plan_.process->user.uid, host_proc_.get());
    // With our own rights first: the configuration may name a place that the user can't enter.
    auto entered = enter_directory(plan_.process->cwd);
    auto user = AsUser::become(plan_.process->user, stage_.capabilities.sets.effective);
    if (!user) return demote(std::move(user).error());
    if (!entered) entered = enter_directory(plan_.process->cwd);
    if (!entered) return demote(std::move(entered).error());
    stage_.program = TRY(find_program(plan_.process->args[0], stage_.env));
    return {};
  }

  Result<> get_going() {
    stage_.preserve_fds = plan_.preserve_fds;
    stage_.fork = true;
    stage_.awaits_scheduler = scheduler_ends_at_fork(*plan_.process);
    stage_.cgroup_tasks = std::move(plan_.entry.v1_tasks);
    if (plan_.seccomp) stage_.seccomp = &*plan_.seccomp;
    TRY(place_program_stdio(plan_.stdio, pty_, plan_.process->user.uid, host_proc_.get()));
    if (needs_label(*plan_.process)) stage_.host_proc = std::move(host_proc_);
    TRY(channel_.send(Topic::Ready, {}, pty_.master ? std::vector<int>{pty_.master.get()} : std::vector<int>{}));
    return {};
  }

  ExecPlan& plan_;
  Channel& channel_;
  UniqueFd host_proc_;
  sys::Pty pty_;
  FinalStage stage_;
};

Result<bool> same_namespace(pid_t pid, const char* name) {
  const struct ::stat ours = TRY(sys::stat_fd(TRY(sys::open_at(sys::kCwd, fmt::format("/proc/self/ns/{}", name), O_RDONLY)).get()));
  const struct ::stat theirs =
      TRY(sys::stat_fd(TRY(sys::open_at(sys::kCwd, fmt::format("/proc/{}/ns/{}", pid, name), O_RDONLY)).get()));
  return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/// Entering one's own user namespace is an error, the others are not worth asking.
/// Root may enter again what it is in; who is root of a user namespace only may not, if it is the host's.
Result<> leave_out_shared(pid_t pid, int& flags) {
  constexpr std::pair<const char*, int> kKinds[] = {{"mnt", CLONE_NEWNS},  {"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC},
                                                    {"uts", CLONE_NEWUTS}, {"pid", CLONE_NEWPID}, {"cgroup", CLONE_NEWCGROUP}};
  for (const auto& [name, flag] : kKinds) {
    if (TRY(same_namespace(pid, name))) flags &= ~flag;
  }
  return {};
}

Result<int> namespaces_to_enter(pid_t pid, bool rootless) {
  int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  if (rootless) TRY(leave_out_shared(pid, flags));
  if (!TRY(same_namespace(pid, "user"))) flags |= CLONE_NEWUSER;
  const auto same_time = same_namespace(pid, "time");
  if (same_time && !*same_time) flags |= CLONE_NEWTIME;
  return flags;
}

}  // namespace

Result<ExecHandle> Container::exec(const spec::oci::Process& process, ExecOptions options) {
  const Status status = data_->status();
  if (status == Status::Paused && !options.ignore_paused) return base::conflict("cannot exec in a paused container");
  if (status == Status::Stopped) return base::conflict("cannot exec in a stopped container");
  TRY(check_process(process));
  constexpr std::string_view kIntent = "exec failed: unable to start container process";

  bool heard = false;  // the failure came from the helper or the process, which sort theirs themselves
  const auto run = [&]() -> Result<ExecHandle> {
    ExecPlan plan;
    plan.process = &process;
    plan.stdio = std::move(options.stdio);
    plan.preserve_fds = options.preserve_fds;
    plan.plain_newlines = options.plain_newlines;
    if (!options.no_new_keyring) plan.keyring = "_ses." + id();
    plan.init = data_->init.pidfd();
    plan.namespaces = TRY(namespaces_to_enter(data_->state.pid, data_->state.rootless));
    if (!data_->state.foreign_root.empty()) {
      plan.root = TRY(sys::open_at(sys::kCwd, fmt::format("/proc/{}/root", data_->state.pid), O_PATH | O_DIRECTORY));
    }
    plan.entry = TRY(exec_entry(*data_, options.subgroups));
    plan.personality = data_->state.personality;
    plan.memory_policy = data_->state.memory_policy;
    if (data_->state.seccomp) plan.seccomp = TRY(read_seccomp(data_->seccomp_file()));

    auto pair = TRY(Channel::make());
    const sys::Process helper = TRY(clone_into(*data_, plan.entry, options.subgroups));
    if (!helper.valid()) {
      pair.parent.close();
      Helper{plan, pair.child}.run();
    }
    const base::ScopeGuard reap{[&] {
      base::ignore(helper.signal(SIGKILL), "it has ended, unless something failed here");
      base::ignore(helper.wait(), "only to reap it");
    }};
    pair.child.close();
    plan.stdio = {};
    TRY(setup_from_outside(helper.pid(), process, (plan.namespaces & CLONE_NEWUSER) != 0));
    if (!data_->state.rdt_directory.empty()) {
      TRY(enter_rdt_group(data_->state.rdt_directory, data_->state.rdt_monitor, helper.pid()));
    }
    heard = true;
    Forked forked = TRY(await_fork(pair.parent, process.args[0]));
    heard = false;
    ExecHandle handle{std::move(forked.process), std::move(forked.master)};
    base::ScopeGuard undo{[&] {
      base::ignore(handle.process.signal(SIGKILL), "it may have ended");
      base::ignore(handle.process.wait(), "only to reap it");
    }};
    if (scheduler_ends_at_fork(process)) TRY(schedule(pair.parent, handle.process.pid(), forked.early, process, {}));
    if (options.on_namespaces) TRY((*options.on_namespaces)(handle.process.pid(), handle.process.pidfd()));
    heard = true;
    TRY(wait_for_exec(pair.parent, handle.process, data_->state, process.args[0], options.patience, std::move(forked.early)));
    heard = false;
    if (handle.pty_master && !options.console_socket.empty()) {
      TRY(send_to_console_socket(options.console_socket, handle.pty_master.get()));
      handle.pty_master.reset();
    }
    if (!options.pid_file.empty()) {
      TRY(sys::write_file_atomic(sys::kCwd, options.pid_file, fmt::format("{}", handle.process.pid()))
              .context("write the pid file"));
    }
    undo.release();
    return handle;
  };
  auto handle = run();
  if (handle) return handle;
  Error error = std::move(handle).error();
  if (!heard) error = demote(std::move(error));
  return std::move(error).context(kIntent);
}

}  // namespace runtime
